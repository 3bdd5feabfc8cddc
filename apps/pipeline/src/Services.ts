/**
 * The services that flows ask: declared in `frazil.yaml` as the connections `bureau` and `claims`, or else embedded ones.
 *
 * The embedded bureau is the mock one, in this process; embedded claims are a DuckDB file in the data directory, filled with
 * made-up claims when it is not there. A service that no flow of the run asks is not opened.
 */
import {
  type Connection,
  connectionOf,
  type Connections,
  makeSqlLookup,
  openDuckDbFile,
  openHttpLookup,
  openPostgres
} from "@frazil/connect"
import { Bureau, bureauFailures, BureauWire, Claim, claimFailures, claimProblem, Claims } from "@frazil/flows"
import { type DataDirectory, readConnections, settingsPath } from "@frazil/platform"
import { serveBureau } from "@frazil/sim"
import { claimsCountDefault, seedClaims } from "@frazil/sim/claims"
import { existsSync } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { Effect, Layer } from "effect"
import type { PipelineOptions } from "./Options.ts"

export interface ServicesOptions {
  readonly flows: PipelineOptions["flows"]
  readonly directory: DataDirectory
  /** Where connections are declared. */
  readonly settingsFile?: string | undefined
  /** Tells a person where answers come from, when it is not from where they are declared. */
  readonly say: (line: string) => void
}

/** Quick enough for a demo at any rate; `apps/bureau` is one that takes its time. */
const embeddedDelay = { delayMsMin: 20, delayMsMax: 100 }
/** The bureau's answers and the made-up claims are the same in every run. */
const embeddedSeed = 1
/** Of one statement; the lookup's policy is less patient. */
const statementTimeoutMs = 10_000

/** The connection of that name, if it is declared. One that makes no sense fails. */
const declaredConnection = Effect.fnUntraced(function* <K extends Connection["kind"]>(
  settingsFile: string | undefined,
  name: string,
  kinds: ReadonlyArray<K>
) {
  const { connections, problems } = yield* readConnections(settingsFile ?? settingsPath)
  const wrong = problems.find(({ message }) => message.startsWith(`connection "${name}"`))
  if (wrong !== undefined) return yield* wrong
  return connections.has(name) ? yield* ofKind(connections, name, kinds) : undefined
})

const ofKind = <K extends Connection["kind"]>(connections: Connections, name: string, kinds: ReadonlyArray<K>) =>
  Effect.fromResult(connectionOf(connections, name, kinds))

const openBureau = Effect.fnUntraced(function* ({ say, settingsFile }: ServicesOptions) {
  const declared = yield* declaredConnection(settingsFile, "bureau", ["http"])
  const embedded = declared ?? (yield* serveBureau({ port: 0, seed: embeddedSeed, behaviour: embeddedDelay })).address
  if (typeof embedded === "string")
    say("lending asks an embedded credit bureau: declare the connection bureau for a real one")
  return yield* openHttpLookup({
    name: "bureau",
    connection: typeof embedded === "string" ? { kind: "http", url: embedded } : embedded,
    path: "/v1/score",
    request: (ssn: string) => ({ ssn }),
    wire: BureauWire,
    answer: (wire, ssn) => (wire.ssn === ssn ? { score: wire.score } : undefined),
    failures: bureauFailures
  })
})

/** The file, made and filled if it is not there: under another name first, so that a killed start leaves none half filled. */
const embeddedClaims = Effect.fnUntraced(function* ({ directory, say }: ServicesOptions) {
  const connection = { kind: "duckdb", file: directory.claimsFile } as const
  if (!existsSync(directory.claimsFile)) {
    yield* Effect.promise(() => mkdir(directory.root, { recursive: true }))
    const making = `${directory.claimsFile}.making`
    yield* Effect.promise(() => Promise.all([making, `${making}.wal`].map((file) => rm(file, { force: true }))))
    const there = yield* openDuckDbFile("claims", { kind: "duckdb", file: making }, "write").pipe(
      Effect.flatMap((client) => seedClaims(client, { claims: claimsCountDefault, seed: embeddedSeed })),
      Effect.scoped
    )
    yield* Effect.promise(() => rename(making, directory.claimsFile))
    say(`payments find ${there} made-up claims in claims.duckdb: declare the connection claims for real ones`)
  }
  return connection
})

const openClaims = Effect.fnUntraced(function* (options: ServicesOptions) {
  const connection =
    (yield* declaredConnection(options.settingsFile, "claims", ["postgres", "duckdb"])) ??
    (yield* embeddedClaims(options))
  const client =
    connection.kind === "postgres"
      ? yield* openPostgres("claims", connection, statementTimeoutMs)
      : yield* openDuckDbFile("claims", connection, "read")
  return makeSqlLookup({
    client,
    table: "claims",
    key: "claim_id",
    answer: Claim,
    problem: claimProblem,
    failures: claimFailures
  })
})

const unasked = { lookup: () => Effect.die("a service was asked that no flow of this run asks") }

/** Fails when a declared connection cannot be used as it is declared. */
export const servicesLayer = (options: ServicesOptions) =>
  Layer.mergeAll(
    options.flows.includes("lending") ? Layer.effect(Bureau, openBureau(options)) : Layer.succeed(Bureau, unasked),
    options.flows.includes("claims") ? Layer.effect(Claims, openClaims(options)) : Layer.succeed(Claims, unasked)
  )
