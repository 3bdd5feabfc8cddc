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
  openPostgres,
  type SqlClient
} from "@frazil/connect"
import { Bureau, bureauFailures, BureauWire, Claim, claimFailures, claimProblem, Claims } from "@frazil/flows"
import type { DataDirectory } from "@frazil/platform"
import { readConnections, settingsPath } from "@frazil/platform/threads"
import { existsSync } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { Effect, Layer } from "effect"
import type { PipelineOptions } from "./Options.ts"

export interface ServicesOptions {
  readonly flows: PipelineOptions["flows"]
  readonly directory: DataDirectory
  /** Where connections are declared. */
  readonly settingsFile?: string | undefined
  /** Of a thread: where the embedded bureau is that the main one serves. */
  readonly bureau?: string | undefined
  /** Of a thread: asks the file of claims that the main one has open. */
  readonly claims?: SqlClient
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

const declaredBureau = ({ settingsFile }: ServicesOptions) => declaredConnection(settingsFile, "bureau", ["http"])

const declaredClaims = ({ settingsFile }: ServicesOptions) =>
  declaredConnection(settingsFile, "claims", ["postgres", "duckdb"])

/** Serves the mock bureau in this thread, on the loopback address. */
const embeddedBureau = Effect.fnUntraced(function* ({ say }: ServicesOptions) {
  const { serveBureau } = yield* Effect.promise(() => import("@frazil/sim"))
  const { address } = yield* serveBureau({ port: 0, seed: embeddedSeed, behaviour: embeddedDelay })
  say("lending asks an embedded credit bureau: declare the connection bureau for a real one")
  return address
})

const openBureau = Effect.fnUntraced(function* (options: ServicesOptions) {
  const declared = yield* declaredBureau(options)
  const url = declared === undefined ? (options.bureau ?? (yield* embeddedBureau(options))) : undefined
  return yield* openHttpLookup({
    name: "bureau",
    connection: declared ?? { kind: "http", url: url! }, // one of the two is there
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
    const { claimsCountDefault, seedClaims } = yield* Effect.promise(() => import("@frazil/sim/claims"))
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

const openClaimsFile = Effect.fnUntraced(function* (
  options: ServicesOptions,
  declared: Extract<Connection, { kind: "duckdb" }> | undefined
) {
  return yield* openDuckDbFile("claims", declared ?? (yield* embeddedClaims(options)), "read")
})

const openClaims = Effect.fnUntraced(function* (options: ServicesOptions) {
  const declared = yield* declaredClaims(options)
  return makeSqlLookup({
    client:
      declared?.kind === "postgres"
        ? yield* openPostgres("claims", declared, statementTimeoutMs)
        : (options.claims ?? (yield* openClaimsFile(options, declared))),
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

/**
 * For jobs on threads of their own: what they ask that is embedded is here once. Each thread asks the bureau by its address,
 * and a file of claims through this thread. Undefined: not asked, or not embedded.
 */
export const embedServices = Effect.fnUntraced(function* (options: ServicesOptions) {
  const { flows } = options
  const claims = flows.includes("claims") ? yield* declaredClaims(options) : undefined
  const file = flows.includes("claims") && claims?.kind !== "postgres"
  const served = flows.includes("lending") && (yield* declaredBureau(options)) === undefined
  return {
    bureau: served ? yield* embeddedBureau(options) : undefined,
    claims: file ? yield* openClaimsFile(options, claims?.kind === "duckdb" ? claims : undefined) : undefined
  }
})
