/**
 * A Kafka cluster as the log's parts use it: connections to brokers, who leads a partition, who coordinates a transaction.
 *
 * Built on the client's connections and encoders, without its producer and consumer: those retry by themselves and keep
 * state of their own, and a commit must know what it sent (protocol, rule 5). **Bounds**: a request ends after
 * `requestTimeoutMs`, tries of one operation after `retryMs`.
 */
import { LogError } from "@frazil/engine"
import {
  type API,
  type Connection,
  ConnectionPool,
  type ConnectionOptions,
  findCoordinatorV4,
  metadataV12
} from "@platformatic/kafka"
import { Effect, Schedule, type Scope } from "effect"
import {
  type CallError,
  callErrorAnswered,
  callErrorOf,
  mayPass,
  notLetIn,
  notLetInAgain,
  toLogError
} from "./CallError.ts"

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export interface ClusterOptions {
  readonly brokers: ReadonlyArray<BrokerAddress>
  readonly requestTimeoutMs: number
  /** How long one operation is tried again while brokers cannot be reached or are not ready. */
  readonly retryMs: number
  /** Undefined: connections are not encrypted. */
  readonly tls: ConnectionOptions["tls"] | undefined
  readonly sasl: ConnectionOptions["sasl"] | undefined
  /** The name that certificates must have; true: that of each broker. */
  readonly serverName: string | true | undefined
}

/** A topic as the cluster has it. */
export interface ClusterTopic {
  readonly name: string
  readonly id: string
  /** Broker ids by partition; −1 while there is none. */
  readonly leaders: ReadonlyArray<number>
}

export interface Cluster {
  /** For messages: where the cluster was looked for. */
  readonly place: string
  /** One request on any broker, tried again while that may help. */
  readonly ask: <A>(
    doing: string,
    request: (connection: Connection) => Effect.Effect<A, CallError>
  ) => Effect.Effect<A, LogError>
  /** All topics, or one; empty when there is no such topic. Asked for now. */
  readonly topicsNow: (name: string | null) => Effect.Effect<ReadonlyArray<ClusterTopic>, LogError>
  /** The topic as it was when it was asked for last. Fails with `TopicMissing`. */
  readonly topic: (name: string) => Effect.Effect<ClusterTopic, LogError>
  /** Forgets what is known of the topic. */
  readonly forget: (name: string) => void
  /** A connection to the leader of a partition, once; `CallError` where there is none at the moment. */
  readonly leader: (topic: ClusterTopic, partition: number) => Effect.Effect<Connection, CallError>
  readonly broker: (id: number) => Effect.Effect<Connection, CallError>
  /** A connection to whoever coordinates a transactional id, or a group. */
  readonly coordinator: (id: string, of?: Coordinated) => Effect.Effect<Connection, CallError>
  readonly forgetCoordinator: (id: string, of?: Coordinated) => void
  /** Whether to try again after a pause. */
  readonly mayPass: (error: CallError) => boolean
  /** What the caller of the log is told. `doing` completes "failed while …". */
  readonly explain: (doing: string, error: CallError) => LogError
  /** Tries again while that may help; `between` is done after each failure. */
  readonly persistently: <A, R>(
    doing: string,
    attempt: Effect.Effect<A, CallError, R>,
    between?: (error: CallError) => void
  ) => Effect.Effect<A, LogError, R>
}

const clientId = "frazil"
const connectTimeoutMs = 5_000
const reachTimeoutMs = 10_000
/** What brokers coordinate, as FindCoordinator numbers it. */
const coordinated = { group: 0, transaction: 1 } as const
type Coordinated = keyof typeof coordinated
const unknownTopic = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID"])

/** One request. What the client throws becomes a `CallError`. */
export const call = <Arguments extends Array<unknown>, A>(
  connection: Connection,
  api: API<Arguments, A>,
  ...request: Arguments
): Effect.Effect<A, CallError> =>
  Effect.callback<A, CallError>((resume) => {
    const answer = (error: Error | null, response?: A) =>
      // the cast: the client gives one of the two
      resume(error === null ? Effect.succeed(response as A) : Effect.fail(callErrorOf(error, true)))
    try {
      // the cast: what the client's type says of a call's last argument cannot be spelled for arguments not known here
      const send = api as unknown as (connection: Connection, ...rest: Array<unknown>) => void
      send(connection, ...request, answer)
    } catch (cause) {
      resume(Effect.fail(callErrorOf(cause, false)))
    }
  })

const openPool = ({
  requestTimeoutMs,
  sasl,
  serverName,
  tls
}: ClusterOptions): Effect.Effect<ConnectionPool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new ConnectionPool(clientId, {
          connectTimeout: connectTimeoutMs,
          requestTimeout: requestTimeoutMs,
          ...(tls === undefined ? {} : { tls }),
          ...(serverName === undefined ? {} : { tlsServerName: serverName }),
          ...(sasl === undefined ? {} : { sasl })
        })
    ),
    (pool) => Effect.promise(() => pool.close().catch(() => {}))
  )

const topicsOf = (response: metadataV12.MetadataResponse): ReadonlyArray<ClusterTopic> =>
  response.topics.flatMap(({ errorCode, isInternal, name, partitions, topicId }) => {
    if (errorCode !== 0 || isInternal || typeof name !== "string") return []
    const leaders: Array<number> = []
    for (const { leaderId, partitionIndex } of partitions) leaders[partitionIndex] = leaderId
    return [{ name, id: topicId, leaders }]
  })

export const missing = (place: string, name: string): LogError =>
  new LogError({
    reason: "TopicMissing",
    message: `topic ${name} does not exist in Kafka at ${place}: it is made by the job that writes it, or was deleted`
  })

const notReached = (place: string, why: string, cause: unknown): LogError =>
  new LogError({
    reason: "Unavailable",
    message: `Kafka at ${place} cannot be reached (${why}): start it, or give its address with --log`,
    cause
  })

/** One try: who starts a system wants to know at once that its log is not there. */
const reach = (place: string, attempt: Effect.Effect<unknown, CallError>): Effect.Effect<void, LogError> =>
  attempt.pipe(
    Effect.asVoid,
    Effect.mapError((error) => {
      const said = toLogError(place, "connecting", error)
      return said.reason === "Unavailable" ? notReached(place, error.message, error) : said
    }),
    Effect.timeoutOrElse({
      duration: reachTimeoutMs,
      orElse: () => Effect.fail(notReached(place, `no answer within ${reachTimeoutMs / 1000} s`, undefined))
    })
  )

/** Connects to the cluster: fails when no broker can be reached. */
export const openCluster = Effect.fnUntraced(function* (
  options: ClusterOptions
): Effect.fn.Return<Cluster, LogError, Scope.Scope> {
  const pool = yield* openPool(options)
  const place = options.brokers.map(({ host, port }) => `${host}:${port}`).join(",")
  const topics = new Map<string, ClusterTopic>()
  const coordinators = new Map<string, number>()
  let addresses = new Map<number, BrokerAddress>()
  let letIn = false
  const passes = (error: CallError): boolean => mayPass(error) || (letIn && notLetIn(error))
  const explain = (doing: string, error: CallError): LogError =>
    letIn && notLetIn(error) ? notLetInAgain(place, doing, error) : toLogError(place, doing, error)

  const connect = (broker: BrokerAddress) =>
    Effect.callback<Connection, CallError>((resume) => {
      pool.get({ host: broker.host, port: broker.port }, (error, connection) =>
        resume(
          error === null && connection !== undefined
            ? Effect.succeed(connection)
            : Effect.fail(callErrorOf(error, false))
        )
      )
    })
  /** The first broker that lets us in; they are asked in turn. */
  const anyBroker = Effect.suspend(() => {
    const known = [...options.brokers, ...addresses.values()]
    return known
      .slice(1)
      .reduce((first, broker) => Effect.catchTag(first, "CallError", () => connect(broker)), connect(known[0]!))
  })
  const metadata = (names: Array<string> | null) =>
    Effect.flatMap(anyBroker, (connection) => call(connection, metadataV12.api, names, false, false)).pipe(
      Effect.tap(({ brokers }) =>
        Effect.sync(() => {
          if (brokers.length > 0) addresses = new Map(brokers.map(({ host, nodeId, port }) => [nodeId, { host, port }]))
        })
      )
    )
  const persistently: Cluster["persistently"] = (doing, attempt, between = () => {}) =>
    attempt.pipe(
      Effect.tapError((error) => Effect.sync(() => between(error))),
      Effect.retry({
        while: passes,
        schedule: Schedule.min([Schedule.exponential("10 millis"), Schedule.spaced("500 millis")]).pipe(
          Schedule.jittered,
          Schedule.upTo({ duration: options.retryMs })
        )
      }),
      Effect.mapError((error) => explain(doing, error))
    )
  const topicsNow: Cluster["topicsNow"] = (name) =>
    persistently(
      name === null ? "listing topics" : `looking for topic ${name}`,
      metadata(name === null ? null : [name]).pipe(
        Effect.map(topicsOf),
        Effect.catchIf(
          (error) => error.answered.length > 0 && error.answered.every(({ id }) => unknownTopic.has(id)),
          () => Effect.succeed<ReadonlyArray<ClusterTopic>>([])
        )
      )
    ).pipe(
      Effect.tap((found) =>
        Effect.sync(() => {
          if (name !== null) topics.delete(name)
          for (const topic of found) topics.set(topic.name, topic)
        })
      )
    )
  const broker: Cluster["broker"] = (id) =>
    Effect.suspend(() => {
      const address = addresses.get(id)
      return address === undefined
        ? Effect.fail(callErrorAnswered([{ id: "LEADER_NOT_AVAILABLE", detail: undefined }]))
        : connect(address)
    })
  const coordinator: Cluster["coordinator"] = (id, of = "transaction") =>
    Effect.gen(function* () {
      const known = coordinators.get(`${of} ${id}`)
      if (known !== undefined && addresses.has(known)) return yield* broker(known)
      const connection = yield* anyBroker
      const found = yield* call(connection, findCoordinatorV4.api, coordinated[of], [id])
      const { host, nodeId, port } = found.coordinators[0]!
      addresses.set(nodeId, { host, port })
      coordinators.set(`${of} ${id}`, nodeId)
      return yield* broker(nodeId)
    })
  yield* reach(place, metadata([]))
  letIn = true
  return {
    place,
    ask: (doing, request) => persistently(doing, Effect.flatMap(anyBroker, request)),
    topicsNow,
    topic: (name) =>
      Effect.suspend(() => {
        const known = topics.get(name)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.flatMap(topicsNow(name), ([found]) =>
          found === undefined ? Effect.fail(missing(place, name)) : Effect.succeed(found)
        )
      }),
    forget: (name) => topics.delete(name),
    leader: (topic, partition) => broker(topic.leaders[partition] ?? -1),
    broker,
    coordinator,
    forgetCoordinator: (id, of = "transaction") => coordinators.delete(`${of} ${id}`),
    mayPass: passes,
    explain,
    persistently
  }
})
