/**
 * The methods that go through: the registered ones (RFC 9110 §16.1) that every common parser of
 * HTTP/1.1 knows. A closed list, because a target that knows fewer methods than we do may take the
 * head of such a request for something else, and the next one on its connection with it.
 */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  // WebDAV and its extensions: RFC 4918, 3253, 3744, 5323, 5842, 4791
  'ACL',
  'BIND',
  'CHECKOUT',
  'COPY',
  'LOCK',
  'MERGE',
  'MKACTIVITY',
  'MKCALENDAR',
  'MKCOL',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'REBIND',
  'REPORT',
  'SEARCH',
  'UNBIND',
  'UNLOCK',
  // RFC 2068 §19.6.1, UPnP, and caches
  'LINK',
  'UNLINK',
  'M-SEARCH',
  'NOTIFY',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PURGE',
  'SOURCE',
])

/**
 * Understood and not allowed: 405. CONNECT asks for a tunnel that a gateway does not dig; TRACE sends
 * cookies back as content (RFC 9110 §9.3.8).
 */
export const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE'])
