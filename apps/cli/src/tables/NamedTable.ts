/** The table that a command names: `namespace.table`. */
import { Catalog, identifierFromText } from "@frazil/lake"
import { Effect } from "effect"
import { Argument } from "effect/cli"
import { CommandError } from "../CommandError.ts"

export const tableArgument = Argument.String("TABLE").pipe(Argument.withDescription("namespace.table"))

/** The table as it is now. */
export const namedTable = Effect.fnUntraced(function* (name: string) {
  const identifier = identifierFromText(name)
  if (identifier === undefined) {
    return yield* new CommandError({ message: `a table is named namespace.table, not "${name}"` })
  }
  const catalog = yield* Catalog
  return yield* Effect.catchIf(
    catalog.loadTable(identifier),
    (error) => error.reason === "TableMissing",
    (error) => Effect.fail(new CommandError({ message: `${error.message}: look at "frazil tables list"` }))
  )
})
