/**
 * Instances that share the work of a log on Kafka, by the group protocol.
 *
 * Apps provide its layer beside the log's. A fiber keeps the membership: join, heartbeat, join again when somebody comes or goes;
 * meanwhile the works of the last share go on (cooperative). What moves to this instance from one that is still there begins a
 * moment later, so that it can commit what it has open; that is kind, not needed: who takes a shard fences whoever had it.
 *
 * **Bounds**: an instance that died loses its work after `sessionTimeoutMs`; under its old name it has it again at once.
 */
import type { InstancesShape, LogError, Share } from "@frazil/engine"
import { Deferred, Effect, Latch, type Scope, Semaphore } from "effect"
import { openCluster, type ClusterOptions } from "../Cluster.ts"
import type { Assignment } from "./Messages.ts"
import { makeMembership, type Membership, type MembershipOptions } from "./Membership.ts"
import { workingMembers } from "./Working.ts"

export interface KafkaInstancesOptions {
  readonly brokers: ClusterOptions["brokers"]
  readonly tls?: ClusterOptions["tls"]
  readonly sasl?: ClusterOptions["sasl"]
  readonly serverName?: ClusterOptions["serverName"]
  readonly group: string
  readonly name: string
  /** Its place is kept for the session timeout when it ends well: who restarts it wants nothing to move. Default false. */
  readonly staysAtEnd?: boolean
  /** Default 6 s. */
  readonly sessionTimeoutMs?: number
  /** Told of each share: how many works this instance has, of how many that it offers. */
  readonly onShare?: (mine: number, offered: number) => void
}

const heartbeatMs = 400
const rebalanceTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** More than it takes to commit an open epoch. */
const handoverMs = 300
/** Works are offered one after the other when a program starts. */
const offerWaitMs = 200
const retryWaitMs = 500
const leaveTimeoutMs = 2_000

/** What this instance knows of its share. */
class ShareState {
  readonly offered = new Set<string>()
  private works: ReadonlySet<string> = new Set()
  private generation = 0
  private changed = Deferred.makeUnsafe<void>()

  readonly share = (): Share => {
    const { generation, works } = this
    return { generation, has: (work) => works.has(work) }
  }

  readonly owned = (): ReadonlyArray<string> => [...this.works]

  set(works: ReadonlyArray<string>): void {
    if (works.length === this.works.size && works.every((work) => this.works.has(work))) return
    this.works = new Set(works)
    this.generation++
    const before = this.changed
    this.changed = Deferred.makeUnsafe()
    Deferred.doneUnsafe(before, Effect.void)
  }

  readonly awaitChange = (generation: number): Effect.Effect<void> =>
    Effect.suspend(() => (this.generation === generation ? Deferred.await(this.changed) : Effect.void))
}

/** Takes a share over: at once, but for what another instance is still to bring to an end. */
const takeOver = Effect.fnUntraced(function* (state: ShareState, { moved, work }: Assignment) {
  const before = new Set(state.owned())
  const coming = new Set(moved.filter((each) => !before.has(each)))
  state.set(work.filter((each) => !coming.has(each)))
  if (coming.size === 0) return
  yield* Effect.sleep(handoverMs)
  state.set(work)
})

interface Keeping {
  readonly state: ShareState
  readonly membership: Membership
  /** Opened by new offers. */
  readonly offers: Latch.Latch
  /** One request of the membership at a time. */
  readonly alone: Semaphore.Semaphore
  readonly onShare: (mine: number, offered: number) => void
}

/** Keeps the membership for ever. Fails when it cannot be had: refused, or another instance has the name. */
const keep = Effect.fnUntraced(function* ({ alone, membership, offers, onShare, state }: Keeping) {
  let generation = -1
  while (true) {
    yield* offers.await
    yield* Effect.sleep(offerWaitMs)
    const offer = { offers: [...state.offered], owned: state.owned(), generation }
    const offered = state.offered.size
    const joined = yield* alone.withPermits(1)(membership.join(offer))
    if (joined === undefined) {
      yield* Effect.sleep(retryWaitMs)
      continue
    }
    ;({ generation } = joined)
    onShare(joined.assignment.work.length, offered)
    // the heart beats on while works are handed over
    yield* Effect.raceFirst(
      Effect.andThen(takeOver(state, joined.assignment), Effect.never),
      beatUntilRejoin(membership, alone, () => state.offered.size > offered)
    )
  }
})

const beatUntilRejoin = Effect.fnUntraced(function* (
  membership: Membership,
  alone: Semaphore.Semaphore,
  more: () => boolean
) {
  while (!more()) {
    yield* Effect.sleep(heartbeatMs)
    if ((yield* alone.withPermits(1)(membership.heartbeat)) === "Rejoin") return
  }
})

export interface KafkaGroup {
  readonly instances: InstancesShape
  /** Fails when this instance cannot be in the group any more. */
  readonly lost: Effect.Effect<never, LogError>
  /** Names of the instances that are in the group now. */
  readonly members: Effect.Effect<ReadonlyArray<string>, LogError>
  /** Of those at work: places of instances that ended or died are waited for, a session's time at most. */
  readonly working: Effect.Effect<ReadonlyArray<string>, LogError>
}

/** Joins the group once something is offered; leaves it at the scope's end. Fails when no broker can be reached. */
export const makeKafkaInstances = Effect.fnUntraced(function* (
  options: KafkaInstancesOptions
): Effect.fn.Return<KafkaGroup, LogError, Scope.Scope> {
  const { brokers, group, name, sasl, serverName, sessionTimeoutMs = 6_000, tls } = options
  // connections of its own: a broker answers one request of a connection after the other
  const cluster = yield* openCluster({ brokers, requestTimeoutMs, retryMs: requestTimeoutMs, sasl, serverName, tls })
  const member: MembershipOptions = { cluster, group, name, sessionTimeoutMs, rebalanceTimeoutMs }
  const membership = makeMembership(member)
  const state = new ShareState()
  const offers = Latch.makeUnsafe(false)
  const alone = yield* Semaphore.make(1)
  const lost = yield* Deferred.make<never, LogError>()
  if (options.staysAtEnd !== true) {
    yield* Effect.addFinalizer(() => Effect.timeoutOption(membership.leave, leaveTimeoutMs))
  }
  const { onShare = () => {} } = options
  yield* keep({ state, membership, offers, alone, onShare }).pipe(
    Effect.catch((error) => Deferred.fail(lost, error)),
    Effect.forkScoped
  )
  const confirmed = Effect.gen(function* () {
    const { generation } = state.share()
    const beat = yield* alone.withPermits(1)(membership.heartbeat)
    if (beat !== "Stable") yield* Effect.timeoutOption(state.awaitChange(generation), rebalanceTimeoutMs)
    return state.share()
  })
  const instances: InstancesShape = {
    shared: true,
    offer: (works) =>
      Effect.sync(() => {
        for (const work of works) state.offered.add(work)
        offers.openUnsafe()
      }),
    share: state.share,
    changed: state.awaitChange,
    confirmed
  }
  const { members } = membership
  return { instances, lost: Deferred.await(lost), members, working: workingMembers(members, sessionTimeoutMs) }
})
