/** One broker for the tests of a file: starting one takes seconds. */
import { Effect, Exit, Scope } from "effect"
import { type Server, server } from "./Server.ts"

export interface SharedKafka {
  readonly broker: { readonly host: string; readonly port: number }
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** Defined once started. */
  readonly server: () => Server
}

export interface BrokerOptions {
  /** SCRAM over TLS, and rights: `admin` may do everything, `app` nothing. */
  readonly secure?: boolean
  /** Lines of server.properties, separated by `\n` as text. */
  readonly more?: string
}

export const sharedKafka = (port: number, { more = "", secure = false }: BrokerOptions = {}): SharedKafka => {
  let scope = Scope.makeUnsafe()
  let broker: Server | undefined
  const environment = {
    KAFKA_NAME: `kafka-it-${port}`,
    KAFKA_PORT: String(port),
    KAFKA_HEAP: "384m",
    KAFKA_SECURE: secure ? "1" : "0",
    KAFKA_EXTRA: more
  }
  return {
    broker: { host: "127.0.0.1", port },
    start: async () => {
      scope = Scope.makeUnsafe()
      const started = server("kafka.sh", `kafka://127.0.0.1:${port}`, environment)
      broker = await Effect.runPromise(Scope.provide(started, scope))
    },
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    server: () => broker!
  }
}
