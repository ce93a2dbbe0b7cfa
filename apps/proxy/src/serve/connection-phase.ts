/** What a connection of HTTP/1 is at. */

export type ConnectionPhase =
  /** Nothing of a next request has come, or it has been kept unread. */
  | 'idle'
  /** A part of a head has come. */
  | 'head'
  /** The request waits, unread, because its service is paused. */
  | 'held'
  | 'serving'
  | 'upgraded'
  /** The last answer is on its way; what still comes is read and dropped. */
  | 'closing'
  | 'closed'
