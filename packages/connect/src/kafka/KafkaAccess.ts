/**
 * How a declared connection lets us into a Kafka cluster: user, password, certificates; its secrets read.
 *
 * The log's layer asks for the connection that names one of its brokers. Without one nothing is encrypted and nobody asked
 * who we are. Certificates are always verified.
 */
import { readFile } from "node:fs/promises"
import { isIP } from "node:net"
import { Effect, Redacted } from "effect"
import type { Connections, KafkaConnection } from "../connection/Connection.ts"
import { ConnectionError } from "../connection/ConnectionError.ts"
import { readSecret, type SecretSource } from "../connection/Secret.ts"
import type { KafkaLogOptions } from "./KafkaLog.ts"

type Brokers = KafkaLogOptions["brokers"]
type Access = Pick<KafkaLogOptions, "sasl" | "tls" | "serverName">

const mechanisms = {
  plain: "PLAIN",
  "scram-sha-256": "SCRAM-SHA-256",
  "scram-sha-512": "SCRAM-SHA-512"
} as const

const addressesOf = ({ url }: KafkaConnection): ReadonlyArray<string> => url.slice("kafka://".length).split(",")

const naming = (connections: Connections, brokers: Brokers): readonly [string, KafkaConnection] | undefined => {
  const wanted = new Set(brokers.map(({ host, port }) => `${host}:${port}`))
  for (const [name, connection] of connections) {
    if (connection.kind !== "kafka") continue
    if (addressesOf(connection).some((address) => wanted.has(address))) return [name, connection]
  }
  return undefined
}

const readPem = (name: string, path: string): Effect.Effect<string, ConnectionError> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () =>
      new ConnectionError({ reason: "Invalid", message: `connection "${name}": its file ${path} cannot be read` })
  })

/** Read now, so that a missing one is told at once, and again for each connection: it may be changed while programs run. */
const passwordOf = Effect.fnUntraced(function* (name: string, source: SecretSource) {
  yield* readSecret(name, source)
  const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
  return () => runPromise(Effect.map(readSecret(name, source), Redacted.value))
})

/** What the connection for these brokers says; empty when none is declared for them. */
export const kafkaAccess = Effect.fnUntraced(function* (
  connections: Connections,
  brokers: Brokers
): Effect.fn.Return<Access, ConnectionError> {
  const found = naming(connections, brokers)
  if (found === undefined) return {}
  const [name, { mechanism = "scram-sha-512", password, tls, user }] = found
  const sasl =
    user === undefined || password === undefined
      ? {}
      : {
          sasl: {
            mechanism: mechanisms[mechanism],
            username: user,
            password: yield* passwordOf(name, password)
          }
        }
  if (tls === undefined) return sasl
  // a name to be asked for by is none when it is an address
  const named = tls.server_name ?? (brokers.some(({ host }) => isIP(host) === 0) ? true : undefined)
  return {
    ...sasl,
    ...(named === undefined ? {} : { serverName: named }),
    tls: {
      ...(tls.ca === undefined ? {} : { ca: yield* readPem(name, tls.ca) }),
      ...(tls.certificate === undefined ? {} : { cert: yield* readPem(name, tls.certificate) }),
      ...(tls.key === undefined ? {} : { key: Redacted.value(yield* readSecret(name, tls.key)) })
    }
  }
})
