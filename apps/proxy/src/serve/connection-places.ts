/** Who keeps the connections of clients. */

export interface ConnectionPlaces<Connection> {
  onGone(connection: Connection): void
  /** The client speaks HTTP/2: these bytes, and all that follow, are for whoever takes its transport over. */
  onHttp2(connection: Connection, bytes: Buffer): void
}
