/**
 * One service on this proxy: its verdict, the runtimes of its releases, and who waits while it is
 * paused. It follows its route; requests only read it.
 *
 * Of fifty thousand services most are asked for seldom, so everything here is made when it is first
 * needed: a service that nobody asks for is little more than its route.
 */
import type { ActiveRelease, Ingress, Route } from '@gatehouse/domain'
import { ReleaseRuntime, type ReleaseParts } from '../upstream/release-runtime.ts'
import { gateOfRoute, UNKNOWN_HOST, type Gate, type Gated } from './gate.ts'
import { PauseQueue } from './pause-queue.ts'

export interface ServiceParts extends ReleaseParts {
  readonly pausedRequestsMax: number
  /** Every release of any service that has a runtime. */
  readonly releases: Set<ReleaseRuntime>
}

export class ServiceRuntime implements Gated {
  readonly name: string
  /** As last applied; undefined once the service is gone from the table. */
  route: Route | undefined
  readonly #parts: ServiceParts
  #gate: Gate | undefined
  #queue: PauseQueue | undefined
  /** The active one, those that drain, and those that still have work, as far as requests came. */
  #releases: readonly ReleaseRuntime[] = NONE

  constructor(name: string, parts: ServiceParts) {
    this.name = name
    this.#parts = parts
  }

  /** The verdict for all requests but health checks. */
  get gate(): Gate {
    return (this.#gate ??= this.#verdict())
  }

  get ingress(): Ingress | undefined {
    return this.route?.active?.release.ingress
  }

  get healthPath(): string | undefined {
    return this.route?.active?.release.health.path
  }

  /** Requests that wait while the service is paused. */
  get queue(): PauseQueue {
    return (this.#queue ??= new PauseQueue(this.#parts.pausedRequestsMax))
  }

  /** Nothing is left of it on this proxy. */
  get gone(): boolean {
    return this.route === undefined && this.#releases.length === 0
  }

  /** Follows the route. Whoever changes the host table does so before. */
  apply(route: Route | undefined): void {
    this.route = route
    this.#gate = undefined
    if (route?.active !== undefined) this.#reactivate(route.active)
    for (const drain of route?.drains ?? []) {
      // A release that nobody asked for on this proxy has no work here, and nothing to drain.
      this.#known(drain.revision)?.drain(drain)
    }
    for (const runtime of this.#releases) this.forgetIfUnused(runtime)
    if (route?.traffic.mode !== 'paused') this.#queue?.readmitAll()
  }

  /** A release is kept while it is active or drains, so that its drain is seen, or while it has work. */
  forgetIfUnused(runtime: ReleaseRuntime): void {
    const { revision } = runtime
    const named =
      this.route?.active?.revision === revision ||
      this.route?.drains.some((drain) => drain.revision === revision) === true
    if (named || !runtime.idle || !this.#releases.includes(runtime)) return
    this.#releases = this.#releases.filter((each) => each !== runtime)
    this.#parts.releases.delete(runtime)
    runtime.close()
  }

  #verdict(): Gate {
    if (this.route === undefined) return UNKNOWN_HOST
    const { active } = this.route
    return gateOfRoute(this.route, active && (() => this.#runtimeOf(active)), () => this.queue)
  }

  /** What is known of the release already: it may have drained before, or have other targets ejected. */
  #reactivate({ revision, ejected }: ActiveRelease): void {
    const runtime = this.#known(revision)
    runtime?.cancelDrain()
    runtime?.setEjected(ejected)
  }

  #runtimeOf({ revision, release, ejected }: ActiveRelease): ReleaseRuntime {
    const known = this.#known(revision)
    if (known !== undefined) return known
    const runtime = new ReleaseRuntime(this.#parts, this.name, revision, release)
    runtime.setEjected(ejected)
    this.#releases = [...this.#releases, runtime]
    this.#parts.releases.add(runtime)
    return runtime
  }

  /** There are one or two of them: looking through is quicker than looking up. */
  #known(revision: number): ReleaseRuntime | undefined {
    for (const runtime of this.#releases) if (runtime.revision === revision) return runtime
    return undefined
  }
}

const NONE: readonly ReleaseRuntime[] = []
