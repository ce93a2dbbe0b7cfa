/**
 * The connections of HTTP/2 of this proxy to one target: one as a rule, and more only where its target
 * allows fewer streams than there are requests.
 */
import type { TransportOwner } from '../../transport/transport.ts'
import { Http2Lane } from './lane.ts'
import { Http2Session, type SessionParts } from './session.ts'

export interface SessionsParts extends Pick<
  SessionParts,
  'wheel' | 'scheme' | 'silentMs' | 'idleMs' | 'connect' | 'onGone'
> {
  readonly onOpened: () => void
}

export class Http2Sessions {
  readonly #parts: SessionsParts
  readonly #sessions: Http2Session[] = []
  #closed = false

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  /** A lane on a connection that has room, or on a new one; its owner hears `onConnect` or `onClose`. */
  open(owner: TransportOwner): Http2Lane {
    const lane = new Http2Lane(owner)
    this.#place(lane)
    return lane
  }

  /** Closes what has no lanes now, and every other one when it has none any more. */
  close(): void {
    this.#closed = true
    for (const session of this.#sessions.slice()) session.retire()
  }

  #place(lane: Http2Lane): void {
    for (const session of this.#sessions) {
      if (session.hasRoom) {
        session.enter(lane)
        return
      }
    }
    this.#parts.onOpened()
    const session = new Http2Session({
      ...this.#parts,
      replace: (lanes) => {
        for (const each of lanes) this.#place(each)
      },
      onEnding: (ending) => {
        const place = this.#sessions.indexOf(ending)
        if (place >= 0) this.#sessions.splice(place, 1)
      },
    })
    this.#sessions.push(session)
    session.enter(lane)
    if (this.#closed) session.retire()
  }
}
