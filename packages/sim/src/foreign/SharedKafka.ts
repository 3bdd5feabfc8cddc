/** One broker for the tests of a file: starting one takes seconds. */
import { Effect, Exit, Scope } from "effect"
import { type Server, server } from "./Server.ts"

/** A broker without passwords. `more`: lines of server.properties, separated by `\n`. */
const kafkaServer = (port: number, more = ""): Effect.Effect<Server, never, Scope.Scope> =>
  server("kafka.sh", `kafka://127.0.0.1:${port}`, {
    KAFKA_NAME: `kafka-it-${port}`,
    KAFKA_PORT: String(port),
    KAFKA_HEAP: "384m",
    KAFKA_EXTRA: more
  })

export interface SharedKafka {
  readonly broker: { readonly host: string; readonly port: number }
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** Defined once started. */
  readonly server: () => Server
}

export const sharedKafka = (port: number): SharedKafka => {
  let scope = Scope.makeUnsafe()
  let broker: Server | undefined
  return {
    broker: { host: "127.0.0.1", port },
    start: async () => {
      scope = Scope.makeUnsafe()
      broker = await Effect.runPromise(Scope.provide(kafkaServer(port), scope))
    },
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    server: () => broker!
  }
}
