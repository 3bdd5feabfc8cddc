/** `frazil claims seed`: made-up claims into PostgreSQL or a DuckDB file. */
import { mkdir } from "node:fs/promises"
import { connectionOf, type Connections, openDuckDbFile, openPostgres } from "@frazil/connect"
import { dataDirectory, Flags, readConnections, settingsPath } from "@frazil/platform"
import { claimsCountDefault, seedClaims } from "@frazil/sim/claims"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { printJson, printLines } from "../Output.ts"

/** What eight digits number. */
const claimsMax = 99_999_999
/** Ten million rows take a minute. */
const timeoutMs = 300_000

const options = {
  connection: Flag.String("connection").pipe(
    Flag.withDescription(
      "A connection of frazil.yaml, of kind postgres or duckdb (default: claims.duckdb in the data directory)"
    ),
    Flag.withMetavar("NAME"),
    Flag.optional
  ),
  claims: Flag.Int("claims").pipe(
    Flag.withDescription("How many; those that are there already stay as they are"),
    Flag.withMetavar("N"),
    Flag.withDefault(claimsCountDefault)
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("The same seed makes the same claims"),
    Flag.withMetavar("N"),
    Flag.withDefault(1)
  ),
  data: Flags.data,
  json: Flags.json,
  verbose: Flags.verbose
}

const embedded = Effect.fnUntraced(function* (data: string) {
  const { claimsFile, root } = dataDirectory(data)
  yield* Effect.tryPromise({
    try: () => mkdir(root, { recursive: true }),
    catch: () => new CommandError({ message: `${root} cannot be made: choose another --data` })
  })
  return { client: yield* openDuckDbFile("claims", { kind: "duckdb", file: claimsFile }, "write"), place: claimsFile }
})

const declared = Effect.fnUntraced(function* (connections: Connections, name: string) {
  const connection = yield* Effect.fromResult(connectionOf(connections, name, ["postgres", "duckdb"]))
  const client =
    connection.kind === "postgres"
      ? yield* openPostgres(name, connection, timeoutMs)
      : yield* openDuckDbFile(name, connection, "write")
  return { client, place: `connection ${name}` }
})

const open = Effect.fnUntraced(function* (connection: Option.Option<string>, data: string) {
  if (Option.isNone(connection)) return yield* embedded(data)
  const { connections, problems } = yield* readConnections(settingsPath)
  // a declaration that makes no sense is told as such, not as missing
  const wrong = problems.find(({ message }) => message.includes(`"${connection.value}"`))
  return yield* wrong ?? declared(connections, connection.value)
})

export const seedCommand = Command.make(
  "seed",
  options,
  Effect.fnUntraced(function* (given) {
    const { claims, seed } = given
    if (claims < 1 || claims > claimsMax) {
      return yield* new CommandError({ message: `--claims must be from 1 to ${claimsMax}` })
    }
    const { client, place } = yield* open(given.connection, given.data)
    const there = yield* seedClaims(client, { claims, seed })
    if (given.json) return yield* printJson({ place, claims: there })
    return yield* printLines([`${place}: ${there} claims`])
  }, Effect.scoped)
).pipe(Command.withDescription("Fills the table claims with made-up claims, whose ids generated payments name"))
