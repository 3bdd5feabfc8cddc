/** The command: the gateway alone, over a data directory that is there already. Jobs may run beside it, or not. */
import { Analytics, personalColumns } from "@frazil/analytics"
import { flows } from "@frazil/flows"
import { serveGateway, System } from "@frazil/gateway"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, Ledger } from "@frazil/model"
import { catalogLayer, type DataDirectory, existingLake, Flags, logLayer } from "@frazil/platform"
import { Console, Effect, Layer } from "effect"
import { Command } from "effect/cli"

const declared = {
  jobs: Object.values(flows).flat(),
  landings: tables,
  deadLetterTopic: DeadLetters.name,
  ledgerTopic: Ledger.name
}

const servicesOver = (directory: DataDirectory) =>
  Layer.mergeAll(
    Analytics.layer({ temporaryFolder: directory.temporaryFolder, personal: personalColumns(tables) }),
    Layer.succeed(System, { directory, declared, live: () => [] })
  ).pipe(Layer.provideMerge(Layer.mergeAll(catalogLayer(directory), logLayer(directory))))

export const apiCommand = Command.make(
  "api",
  { ...Flags.location, port: Flags.port, verbose: Flags.verbose },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const serve = Effect.gen(function* () {
      const address = yield* serveGateway({ port: given.port })
      yield* Console.error(`frazil: ${directory.root} at ${address}; Ctrl-C stops`)
      return yield* Effect.never
    })
    yield* Effect.scoped(serve).pipe(Effect.provide(servicesOver(directory)))
  })
).pipe(Command.withDescription("Answers over HTTP for an existing data directory: SQL, tables, jobs, health, metrics"))
