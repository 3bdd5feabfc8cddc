/** A gateway for tests, over a data directory that a whole bounded run has filled. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Analytics, personalColumns } from "@frazil/analytics"
import { feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { DeadLetters as DeadLetterContract, Job, Log } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, Ledger, makeDeadLetter, RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { type GatewayOptions, serveGateway, System } from "../src/index.ts"

export const records = 1000

const jobs = Object.values(flows).flat()
const declared = { jobs, landings: tables, deadLetterTopic: DeadLetters.name, ledgerTopic: Ledger.name }
const complete = () => Effect.succeed(true)

const transaction = (i: number): string =>
  JSON.stringify({
    transaction_id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    account_id: `ACC${i % 10}`,
    amount: 12.5,
    currency: "EUR",
    type: "purchase",
    merchant_id: "M1",
    merchant_category: "grocery",
    country: "DE",
    city: "Berlin",
    lat: 52.5,
    lon: 13.4,
    channel: "pos",
    device_id: "D1",
    ip: "10.0.0.1",
    event_timestamp: new Date(Date.UTC(2026, 0, 14 + (i % 2), 12, 0, i % 60)).toISOString()
  })

const fill = Effect.fnUntraced(function* (folder: string) {
  const log = yield* Log
  const file = join(folder, "in.ndjson")
  writeFileSync(file, Array.from({ length: records }, (_, i) => `${transaction(i)}\n`).join(""))
  const { name: topic, partitions } = RawTransactions
  yield* log.ensureTopic({ name: topic, partitions })
  yield* feedFile({ file, topic, keys: KeyScanner.make(RawTransactions), owner: "test" })
  for (const job of flows.transactions) {
    yield* Job.run(job, { bounded: true, inputComplete: complete }).pipe(
      Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter })
    )
  }
  for (const landing of tables) yield* runLanding(landing, { commitEveryMs: 1, inputComplete: complete })
})

/** What the folders of test gateways begin with. */
export const gatewayFolders = join(tmpdir(), "frazil-gateway-")

/** Serves until the scope closes; gives the address. */
export const testGateway = Effect.fnUntraced(function* (options: GatewayOptions = { port: 0 }) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(gatewayFolders)),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const directory = dataDirectory(join(folder, "data"))
  const layer = Layer.mergeAll(
    Analytics.layer({ temporaryFolder: directory.temporaryFolder, personal: personalColumns(tables) }),
    Layer.succeed(System, { directory, declared, live: () => [] })
  ).pipe(Layer.provideMerge(systemLayer(directory)))
  const services = yield* Layer.build(layer)
  yield* Effect.provideContext(fill(folder), services)
  return yield* Effect.provideContext(serveGateway(options), services)
})

/** Asks by HTTP. */
export const get = (url: string, init?: RequestInit) => Effect.promise(() => fetch(url, init))

export const post = (address: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  get(`${address}/v1/query`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })

export const textOf = (response: Response) => Effect.promise(() => response.text())

/** A document whose shape is what the test asserts. */
export const jsonOf = (response: Response) =>
  Effect.promise(async () => (await response.json()) as Readonly<Record<string, unknown>>)
