/**
 * A certificate for `localhost` and 127.0.0.1 that signed itself, with its key. It guards nothing: it
 * lies here so that the tests need no tool to make one. Valid until 2126.
 */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFkAE3c5P6MwJRVnX
J/PjzY8Xj0RJCnX0JsSLyMzFiaGhRANCAASLSWxa9GEilEe5t13N7H4ump3b1akq
11iuk/ZlZSasBFn+w18g/S6x1wEdzTdaqDEAYkDoVo+nA8TEECoHhRCi
-----END PRIVATE KEY-----`

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUZPktKYyB8Z8D9/MObg3XeUIzYKEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3MjMxOFoYDzIxMjYxMDI4
MDcyMzE4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASLSWxa9GEilEe5t13N7H4ump3b1akq11iuk/ZlZSasBFn+w18g/S6x
1wEdzTdaqDEAYkDoVo+nA8TEECoHhRCio28wbTAdBgNVHQ4EFgQURTENZT+NawEM
sImI+Retc+rmNt0wHwYDVR0jBBgwFoAURTENZT+NawEMsImI+Retc+rmNt0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhALnMsdZOTSDU2bcMa9icwgJvwMeye2BvI3wm+W1mrWgAAiAc
YKyLe3uAC9nsYoHfRcSukumW6+WUwhz+AtfCo9LuwQ==
-----END CERTIFICATE-----`
