/** One broker for the tests of a file: starting one takes seconds. */
import { Effect, Exit, Scope } from "effect"
import { kafkaServer, type Server } from "@frazil/sim/servers"

export interface SharedKafka {
  readonly broker: { readonly host: string; readonly port: number }
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** Defined once started. */
  readonly server: () => Server
}

export const sharedKafka = (port: number): SharedKafka => {
  const scope = Scope.makeUnsafe()
  let server: Server | undefined
  return {
    broker: { host: "127.0.0.1", port },
    start: async () => {
      server = await Effect.runPromise(Scope.provide(kafkaServer(port), scope))
    },
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    server: () => server!
  }
}
