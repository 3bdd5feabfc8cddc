/**
 * A run of lending and claims among systems that say everything back, with secrets in every place that a declaration has for
 * one and people in good and bad records; and all that it says while it runs: logs, spans, lines on the screen, answers of the
 * gateway, commands beside it, errors of starts that fail.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FaultPoint } from "@frazil/core"
import { Log } from "@frazil/engine"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { noRules } from "@frazil/rules"
import { Effect, Fiber } from "effect"
import type { PipelineOptions } from "../../src/Options.ts"
import { runPipeline } from "../../src/Run.ts"
import type { Screen } from "../../src/Screen.ts"
import { declaredSinks } from "../../src/Sinks.ts"
import { evilBureau, evilHook, evilPostgres } from "./EvilServers.ts"
import { causeText, type Collector, withConsole } from "./Search.ts"

export const secrets = {
  token: "bureau-token-4f9a1c77",
  password: "claims-password-83be52d1",
  user: "hook-password-19cd6e40",
  signing: "hook-signing-a7720b5f"
} as const

const applications = 30
const payments = 20

/** Nine digits that nothing else here has; the last one says what the bureau does with it. */
const ssnOf = (n: number): string => `${70_310_000 + n * 4_217}${n % 10}`.padStart(9, "0")
const nameOf = (n: number): string => `Ottilie Quarrelsome-${n * 7919}`

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`

const application = (n: number, change: object = {}) =>
  JSON.stringify({
    application_id: id(n),
    ...(n % 3 === 0 ? { customer_id: `C${n}` } : {}),
    ssn: ssnOf(n),
    amount: 100 + n,
    currency: "EUR",
    merchant_id: "M1",
    term_months: 12,
    country: "DE",
    applied_at: "2026-01-14T12:00:00.000Z",
    ...change
  })

/** Numbers of records that do not decode: letters, too short, no text, under other names, in what is torn or too long. */
const badSsns = ["88123456X", "8812345", "881234562", "881234563", "881234564", "881234565", "881234566"] as const

const badApplications = (): ReadonlyArray<string> => {
  const [letters, short, number, nested, extra, torn, long] = badSsns
  return [
    application(900, { ssn: letters }),
    application(901, { ssn: short }),
    application(902, { ssn: Number(number) }),
    application(903, { ssn: { ssn: nested } }),
    // decodes, but for a field that nobody declared
    application(904, { SSN: extra, amount: -1.234 }),
    `{"application_id":"${id(905)}","ssn":"${torn}`,
    application(906, { ssn: long, country: "x".repeat(1_100_000) })
  ]
}

const customer = (n: number, change: object = {}) =>
  JSON.stringify({
    customer_id: `C${n}`,
    name: nameOf(n),
    credit_score: 700,
    income: 50_000,
    credit_limit: 10_000,
    home_country: "DE",
    since: "2020-01-01",
    ...change
  })

const payment = (n: number) =>
  JSON.stringify({
    payment_id: `P${n}`,
    claim_id: `CL${n}`,
    payment_amount: 10,
    payment_date: "2026-01-14T12:00:00.000Z",
    processor_id: "X"
  })

const people = 8

/** What must be said nowhere. */
export const needles: ReadonlyMap<string, string> = new Map([
  ...Object.entries(secrets).map(([name, secret]) => [`the secret ${name}`, secret] as const),
  ...Array.from({ length: applications }, (_, n) => [`the number of application ${n}`, ssnOf(n)] as const),
  ...badSsns.map((ssn) => [`the bad number ${ssn.slice(0, 2)}…${ssn.slice(-1)} of ${ssn.length}`, ssn] as const),
  ...Array.from({ length: people + 1 }, (_, n) => [`the name of customer ${n * 3}`, nameOf(n * 3)] as const)
])

const writeFiles = (
  folder: string,
  urls: { readonly bureau: string; readonly claims: string; readonly hook: string }
) => {
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(folder, `${name}.secret`), `${secret}\n`)
  const file = (name: keyof typeof secrets) => `{ file: ${join(folder, `${name}.secret`)} }`
  writeFileSync(
    join(folder, "frazil.yaml"),
    `connections:
  bureau: { kind: http, url: "${urls.bureau}", auth: { bearer: ${file("token")} } }
  claims: { kind: postgres, url: "${urls.claims}", password: ${file("password")} }
  hook:
    kind: http
    url: "${urls.hook}"
    auth: { basic: { user: frazil, password: ${file("user")} } }
    signing: ${file("signing")}
sinks:
  decisions: { kind: webhook, topic: loan_decisions, connection: hook }
  alerts: { kind: webhook, topic: operations-alerts, connection: hook }
  rows: { kind: postgres, topic: failed-payments, connection: claims, table: failed, key: [payment_id] }
`
  )
  const lines = (name: string, texts: ReadonlyArray<string>) => {
    writeFileSync(join(folder, name), texts.map((text) => `${text}\n`).join(""))
    return join(folder, name)
  }
  const good = Array.from({ length: applications }, (_, n) => application(n))
  const customers = Array.from({ length: people }, (_, n) => customer(n * 3))
  return new Map([
    ["loan_applications", lines("applications.ndjson", [...good, ...badApplications()])],
    // one does not decode, and quotes its name where a number belongs
    [
      "customers",
      lines("customers.ndjson", [...customers, customer(people * 3, { credit_score: nameOf(people * 3) })])
    ],
    [
      "payment-events",
      lines(
        "payments.ndjson",
        Array.from({ length: payments }, (_, n) => payment(n))
      )
    ]
  ])
}

const frazilMain = join(import.meta.dirname, "../../../cli/src/main.ts")

/** A command as a person would type it in the folder: all that it prints. */
const command = (collector: Collector, folder: string, args: ReadonlyArray<string>) =>
  Effect.callback<void>((resume) => {
    const child = spawn(process.execPath, [frazilMain, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    let text = ""
    child.stdout.on("data", (piece: Uint8Array) => (text += Buffer.from(piece).toString()))
    child.stderr.on("data", (piece: Uint8Array) => (text += Buffer.from(piece).toString()))
    child.on("close", () => {
      collector.add(`frazil ${args.slice(0, 3).join(" ")}`, text)
      resume(Effect.void)
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const topics = ["loan_applications", "internal_checks", "external_checks", "failed_applications", "customers"]

const commands = (data: string): ReadonlyArray<ReadonlyArray<string>> => [
  ["config", "show"],
  ["config", "check"],
  ...[...topics, "dead-letter", "late-and-dropped", "failed-payments", "loan_decisions"].map((topic) => [
    "topics",
    "read",
    topic,
    "--meta",
    "--data",
    data
  ]),
  ["topics", "list", "--data", data],
  ["tables", "query", "SELECT * FROM lending.applications", "--format", "ndjson", "--data", data],
  ["tables", "query", "SELECT ssn::INT FROM lending.applications", "--verbose", "--data", data],
  ["tables", "audit", "lending.applications", "--json", "--data", data],
  ["jobs", "list", "--json", "--data", data],
  ["flows", "lineage", "--json", "--data", data],
  ["health", "--json", "--data", data]
]

const fetchText = (collector: Collector, address: string, path: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(`${address}${path}`, init)
    const text = await response.text()
    collector.add(`the gateway at ${path.slice(0, 40)}`, `${JSON.stringify([...response.headers])} ${text}`)
    return text
  })

const tables = ["lending.applications", "lending.decisions", "claims.failed", "system.dead_letter", "system.ledger"]

const queries = [
  ...tables.map((table) => `SELECT * FROM ${table}`),
  "SELECT ssn::INT FROM lending.applications",
  "SELECT error(ssn) FROM lending.applications",
  "SELECT from_base64(original)::VARCHAR FROM system.dead_letter",
  "SELECT nothing FROM lending.applications"
]

const askGateway = Effect.fnUntraced(function* (collector: Collector, address: string) {
  const get = (path: string) => fetchText(collector, address, path)
  for (const path of ["/openapi.json", "/v1/topics", "/v1/jobs", "/health", "/metrics", "/v1/tables", "/nothing"])
    yield* get(path)
  for (const table of tables) {
    yield* get(`/v1/tables/${table.replace(".", "/")}`)
    yield* get(`/v1/tables/${table.replace(".", "/")}/snapshots`)
  }
  const post = (sql: string, accept: string) =>
    fetchText(collector, address, "/v1/query", {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ sql })
    })
  for (const sql of queries) for (const accept of ["application/json", "text/csv"]) yield* post(sql, accept)
})

const countOf = Effect.fnUntraced(function* (topic: string) {
  const log = yield* Log
  if (!(yield* log.topics).some(({ name }) => name === topic)) return 0
  return (yield* log.bounds(topic)).reduce((sum, { end }) => sum + end, 0)
})

/** Every application is decided or failed, and every payment failed. */
const settled = Effect.gen(function* () {
  const decided = (yield* countOf("loan_decisions")) + (yield* countOf("failed_applications"))
  return decided >= applications && (yield* countOf("failed-payments")) >= payments
})

const landed = (address: string) =>
  Effect.promise(async () => {
    const { landings } = (await (await fetch(`${address}/v1/jobs`)).json()) as {
      readonly landings: ReadonlyArray<{ readonly table: string; readonly lag: number | null }>
    }
    return tables.every((table) => landings.some((each) => each.table === table && each.lag === 0))
  })

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    while (!(yield* condition)) yield* Effect.sleep(50)
  })

/** Starts that fail: what they say. */
const failingStarts = Effect.fnUntraced(function* (collector: Collector, folder: string) {
  const inline = (text: string) => {
    const file = join(folder, "wrong.yaml")
    writeFileSync(file, text)
    return declaredSinks(file).pipe(
      Effect.catchCause((cause) => Effect.sync(() => collector.add("a start", causeText(cause))))
    )
  }
  yield* inline(`connections: { hook: { kind: http, url: "http://h", auth: { bearer: ${secrets.token} } } }
sinks: { a: { kind: webhook, topic: loan_decisions, connection: hook } }`)
  yield* inline(`sinks: { a: { kind: webhook, topic: loan_decisions, connection: hook, password: ${secrets.user} } }`)
  yield* inline(`sinks: [ ${secrets.user}: `)
  yield* inline(`connections: { db: { kind: postgres, url: "postgres://u:${secrets.password}@h/d" } }
sinks: { a: { kind: postgres, topic: loan_decisions, connection: db, table: t, key: [outcome] } }`)
})

const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

export interface SecretRun {
  /** What the other systems were told: the secrets and numbers did go where they belong. */
  readonly told: ReadonlyArray<string>
  /** Bytes of each file that the run left. */
  readonly left: ReadonlyArray<{ readonly file: string; readonly text: string }>
}

/** Runs all of it; `plant` is done once, in the midst of it. */
export const secretRun = Effect.fnUntraced(function* (
  collector: Collector,
  plant: Effect.Effect<void, unknown, Log> = Effect.void
) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-secrets-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const [bureau, claims, hook] = [yield* evilBureau, yield* evilPostgres, yield* evilHook]
  const inputs = writeFiles(folder, { bureau: bureau.url, claims: claims.url, hook: hook.url })
  const directory = dataDirectory(join(folder, "data"))
  let address: string | undefined
  const screen: Screen = {
    live: false,
    due: () => true,
    show: (lines) => collector.add("the screen", lines.join("\n")),
    say: (line) => {
      address ??= /answers at (\S+)/.exec(line)?.[1]
      collector.add("the screen", line)
    },
    finish: (lines) => collector.add("the screen", lines.join("\n"))
  }
  const settingsFile = join(folder, "frazil.yaml")
  const run = Effect.gen(function* () {
    const log = yield* Log
    const options: PipelineOptions = {
      flows: ["lending", "claims"],
      rules: noRules,
      inputs,
      generator: undefined,
      bounded: false,
      epochMs: 50,
      checkpointEveryMs: 500,
      lakeCommitEveryMs: 200,
      alertLagRecords: 1,
      settingsFile,
      sinks: yield* declaredSinks(settingsFile),
      gatewayPort: 0
    }
    let planted = false
    const hit = () =>
      Effect.suspend(() => {
        if (planted) return Effect.void
        planted = true
        return Effect.orDie(Effect.provideService(plant, Log, log))
      })
    const running = yield* runPipeline(options, directory, screen, (summary) =>
      Effect.sync(() => collector.add("the summary", JSON.stringify(summary)))
    ).pipe(
      Effect.provideService(FaultPoint, { hit }),
      Effect.tapCause((cause) => Effect.sync(() => collector.add("the end of the run", causeText(cause)))),
      Effect.forkChild
    )
    yield* until(Effect.sync(() => address !== undefined))
    yield* until(settled)
    yield* until(landed(address!))
    yield* askGateway(collector, address!)
    yield* Effect.forEach(commands(directory.root), (args) => command(collector, folder, args), { concurrency: 2 })
    yield* Fiber.interrupt(running)
    yield* failingStarts(collector, folder)
  }).pipe(Effect.provide(systemLayer(directory)))
  yield* withConsole(collector, Effect.provide(run, collector.layer))
  collector.takeSpans()
  return {
    told: [...bureau.told, ...claims.told, ...hook.told],
    left: files(directory.root).map((file) => ({ file, text: readFileSync(file, "latin1") }))
  } satisfies SecretRun
})
