/**
 * One instance's place in a consumer group: the group protocol's requests, and what their answers mean.
 *
 * `KafkaInstances` calls them in turn. The instance is a static member (KIP-345): under its name it takes its own place again
 * after it died, without waiting for a session to end. The member that leads shares the work out (`ShareOut`).
 */
import { LogError, type Member, shareOut } from "@frazil/engine"
import { describeGroupsV5, heartbeatV4, joinGroupV9, leaveGroupV5, syncGroupV5 } from "@platformatic/kafka"
import { Effect } from "effect"
import { answeredWith, type CallError } from "../CallError.ts"
import { call, type Cluster } from "../Cluster.ts"
import { type Assignment, type Offer, readAssignment, readOffer, writeAssignment, writeOffer } from "./Messages.ts"

export interface MembershipOptions {
  readonly cluster: Cluster
  readonly group: string
  /** Of this instance; no two that run share one. */
  readonly name: string
  /** An instance of which nothing was heard for so long loses its work. Brokers want 6 s at least unless told otherwise. */
  readonly sessionTimeoutMs: number
  /** So long the others wait for one to come again, while all of them work on. */
  readonly rebalanceTimeoutMs: number
}

export interface Membership {
  /** Waits for the others, and ends with what this instance has to do, and of how many. Undefined: to be tried again. */
  readonly join: (offer: Offer) => Effect.Effect<Joined | undefined, LogError>
  /** Whether the place is still this instance's and nobody comes or goes. */
  readonly heartbeat: Effect.Effect<"Stable" | "Rejoin" | "Unreachable", LogError>
  readonly leave: Effect.Effect<void>
  /** Names of the instances that are in the group now. */
  readonly members: Effect.Effect<ReadonlyArray<string>, LogError>
}

export interface Joined {
  readonly generation: number
  readonly assignment: Assignment
}

/** Of the group protocol: the ones of other kinds of program differ. */
const protocolType = "frazil"
const protocolName = "shards"

const otherName = new Set(["FENCED_INSTANCE_ID"])
const notAMember = new Set(["UNKNOWN_MEMBER_ID"])
const rejoining = new Set(["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"])
const anotherKind = new Set(["INCONSISTENT_GROUP_PROTOCOL"])

/** Who offers what. A member that says something else is of another version: it has no work here. */
const membersOf = (members: ReadonlyArray<joinGroupV9.JoinGroupResponseMember>): ReadonlyArray<Member> =>
  members.map(({ memberId, metadata }) => {
    const { generation, offers, owned } = readOffer(metadata) ?? { generation: -1, offers: [], owned: [] }
    return { id: memberId, offers: new Set(offers), owned: new Set(owned), generation }
  })

const assignmentsOf = (members: ReadonlyArray<Member>): Array<syncGroupV5.SyncGroupRequestAssignment> => {
  const shares = shareOut(members)
  return members.map(({ id }) => {
    const work = shares.get(id) ?? []
    const moved = work.filter((each) => members.some((other) => other.id !== id && other.owned.has(each)))
    return { memberId: id, assignment: writeAssignment({ work, moved }) }
  })
}

export const makeMembership = ({
  cluster,
  group,
  name,
  rebalanceTimeoutMs,
  sessionTimeoutMs
}: MembershipOptions): Membership => {
  let memberId = ""
  let generation = -1
  const coordinated = <A>(request: (connection: Parameters<typeof call>[0]) => Effect.Effect<A, CallError>) =>
    Effect.flatMap(cluster.coordinator(group, "group"), request).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (cluster.mayPass(error)) cluster.forgetCoordinator(group, "group")
        })
      )
    )
  /** What stops this instance for good; everything else is tried again. */
  const lasting = (error: CallError): LogError | undefined => {
    if (answeredWith(error, otherName)) {
      return new LogError({
        reason: "Fenced",
        message: `another instance named ${name} has come: each needs a name of its own (--instance)`
      })
    }
    if (answeredWith(error, anotherKind)) {
      return new LogError({
        reason: "Refused",
        message: `group ${group} in Kafka at ${cluster.place} is used by another program: the name is frazil's`
      })
    }
    const passes = cluster.mayPass(error) || answeredWith(error, rejoining)
    return passes ? undefined : cluster.explain(`joining group ${group}`, error)
  }
  const failed = (error: CallError): Effect.Effect<CallError, LogError> => {
    const last = lasting(error)
    if (last !== undefined) return Effect.fail(last)
    if (answeredWith(error, notAMember)) memberId = ""
    return Effect.succeed(error)
  }

  const joinOnce = Effect.fnUntraced(function* (offer: Offer) {
    const joined = yield* coordinated((connection) =>
      call(
        connection,
        joinGroupV9.api,
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        name,
        protocolType,
        [{ name: protocolName, metadata: writeOffer(offer) }],
        null
      )
    )
    memberId = joined.memberId
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    const assignments = leads ? assignmentsOf(membersOf(joined.members)) : []
    const synced = yield* coordinated((connection) =>
      call(
        connection,
        syncGroupV5.api,
        group,
        joined.generationId,
        memberId,
        name,
        protocolType,
        protocolName,
        assignments
      )
    )
    generation = joined.generationId
    return { generation, assignment: readAssignment(synced.assignment) ?? { work: [], moved: [] } } satisfies Joined
  })

  return {
    join: (offer) => joinOnce(offer).pipe(Effect.catchTag("CallError", (error) => Effect.as(failed(error), undefined))),
    heartbeat: coordinated((connection) => call(connection, heartbeatV4.api, group, generation, memberId, name)).pipe(
      Effect.as("Stable" as const),
      Effect.catchTag("CallError", (error) =>
        Effect.map(failed(error), () => (answeredWith(error, rejoining) ? "Rejoin" : "Unreachable"))
      )
    ),
    leave: Effect.suspend(() =>
      memberId === ""
        ? Effect.void
        : Effect.ignore(
            coordinated((connection) =>
              call(connection, leaveGroupV5.api, group, [{ memberId, groupInstanceId: name, reason: null }])
            )
          )
    ),
    members: cluster
      .persistently(
        `looking for members of group ${group}`,
        coordinated((connection) => call(connection, describeGroupsV5.api, [group], false))
      )
      .pipe(Effect.map(({ groups }) => groups.flatMap(({ members }) => members.map(nameOfMember))))
  }
}

const nameOfMember = ({ groupInstanceId, memberId }: describeGroupsV5.DescribeGroupsResponseMember): string =>
  groupInstanceId ?? memberId
