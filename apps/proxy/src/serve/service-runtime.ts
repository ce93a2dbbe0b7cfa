/**
 * One service on this proxy: its verdict, the runtimes of its releases, and who waits while it is
 * paused. It follows its route; requests only read it.
 */
import type { ActiveRelease, Route } from '@gatehouse/domain'
import { ReleaseRuntime, type ReleaseParts } from '../upstream/release-runtime.ts'
import { gateOfRoute, UNKNOWN_HOST, type Gate, type Gated } from './gate.ts'
import { PauseQueue } from './pause-queue.ts'

export class ServiceRuntime implements Gated {
  readonly name: string
  gate: Gate = UNKNOWN_HOST
  healthPath: string | undefined
  /** As last applied; undefined once the service is gone from the table. */
  route: Route | undefined
  readonly queue: PauseQueue
  /** By revision: the active one, those that drain, and those that still have work. */
  readonly releases = new Map<number, ReleaseRuntime>()
  readonly #parts: ReleaseParts

  constructor(name: string, parts: ReleaseParts, pausedRequestsMax: number) {
    this.name = name
    this.#parts = parts
    this.queue = new PauseQueue(pausedRequestsMax)
  }

  /** Follows the route. Whoever changes the host table does so before, and lets waiters go after. */
  apply(route: Route | undefined): void {
    this.route = route
    const active = route?.active
    if (active !== undefined) this.#reactivate(active)
    for (const drain of route?.drains ?? []) {
      // A release that this proxy never had active has no work here, and nothing to drain.
      this.releases.get(drain.revision)?.drain(drain)
    }
    this.healthPath = route?.active?.release.health.path
    this.gate =
      route === undefined
        ? UNKNOWN_HOST
        : gateOfRoute(route, active && (() => this.#runtimeOf(active)), this.queue)
    for (const runtime of this.releases.values()) this.forgetIfUnused(runtime)
  }

  /** A release is kept while it is active or drains, so that its drain is seen, or while it has work. */
  forgetIfUnused(runtime: ReleaseRuntime): void {
    const { revision } = runtime
    const named =
      this.route?.active?.revision === revision ||
      this.route?.drains.some((drain) => drain.revision === revision) === true
    if (named || !runtime.idle || this.releases.get(revision) !== runtime) return
    this.releases.delete(revision)
    runtime.close()
  }

  /** What is known of the release already: it may have drained before, or have other targets ejected. */
  #reactivate({ revision, ejected }: ActiveRelease): void {
    const runtime = this.releases.get(revision)
    runtime?.cancelDrain()
    runtime?.setEjected(ejected)
  }

  /** Made at the first request: of fifty thousand services, most are asked for seldom. */
  #runtimeOf({ revision, release, ejected }: ActiveRelease): ReleaseRuntime {
    const known = this.releases.get(revision)
    if (known !== undefined) return known
    const runtime = new ReleaseRuntime(this.#parts, this.name, revision, release)
    runtime.setEjected(ejected)
    this.releases.set(revision, runtime)
    return runtime
  }
}
