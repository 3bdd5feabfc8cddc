/**
 * State at rest, from the settings to the disk: a real process whose `frazil.yaml` names a key leaves no key of its state to be
 * read in snapshots and changes, on one thread and on two; the same run without the setting leaves them in clear.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runPipelineProcess } from "./support/PipelineProcess.ts"

const customers = 50
const customerOf = (index: number) => `SEALED-CUSTOMER-${index % customers}`

/** Each customer again and again, over many windows: some of them are open at any moment. */
const lines = Array.from({ length: 100_000 }, (_, index) =>
  JSON.stringify({
    customer_id: customerOf(index),
    amount: 12.5,
    merchant_id: "M1",
    timestamp: new Date(Date.UTC(2025, 11, 6) + index * 1_000).toISOString()
  })
)

const settings = "state: { encryption: { key: { env: SEALED_TEST_KEY } } }\n"
const key = "5e".repeat(32)

/** A folder with the payments; with a key for state, or without. */
const folderWith = (sealed: boolean) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "frazil-sealed-"))
      writeFileSync(join(folder, "payments.ndjson"), lines.map((line) => `${line}\n`).join(""))
      if (sealed) writeFileSync(join(folder, "frazil.yaml"), settings)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

const run = (folder: string, parallelism: number) =>
  runPipelineProcess({
    args: [
      ...["--data", "data", "--jobs", "velocity", "--input", "transactions=payments.ndjson"],
      ...["--epoch", "1ms", "--checkpoint-every", "1ms", "--parallelism", String(parallelism)]
    ],
    cwd: folder,
    env: { SEALED_TEST_KEY: key }
  })

/** Bytes of state: snapshots, and what changed since. Topics and tables are not state. */
const stateOf = (folder: string): { readonly snapshots: Buffer; readonly changes: Buffer } => {
  const checkpoints = join(folder, "data/checkpoints")
  const files = readdirSync(checkpoints, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  const db = new DatabaseSync(join(folder, "data/log.db"), { readOnly: true })
  try {
    const changes = db.prepare("select bytes from delta").all()
    return {
      snapshots: Buffer.concat(files.map(({ name, parentPath }) => readFileSync(join(parentPath, name)))),
      // a blob, by the log's schema
      changes: Buffer.concat(changes.map(({ bytes }) => bytes as Uint8Array))
    }
  } finally {
    db.close()
  }
}

const namesCustomers = (bytes: Buffer): boolean => bytes.includes("SEALED-CUSTOMER-")

describe("state on disk", () => {
  for (const parallelism of [1, 2]) {
    it.live(`has no key of its state in clear where the settings name a key, on ${parallelism} threads`, () =>
      Effect.gen(function* () {
        const [sealed, clear] = [yield* folderWith(true), yield* folderWith(false)]
        for (const folder of [sealed, clear]) {
          const { code, lines: said } = yield* run(folder, parallelism)
          assert.strictEqual(code, 0, said.join("\n"))
        }
        const [hidden, open] = [stateOf(sealed), stateOf(clear)]
        assert.isTrue(
          namesCustomers(open.snapshots) && namesCustomers(open.changes),
          "the run without a key shows them"
        )
        assert.isAbove(hidden.snapshots.length, 0)
        assert.isAbove(hidden.changes.length, 0)
        assert.isFalse(namesCustomers(hidden.snapshots), "a snapshot tells a customer")
        assert.isFalse(namesCustomers(hidden.changes), "a change tells a customer")
      })
    )
  }

  it.live("is not read without its key: the run says so, and names the key by its id", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith(true)
      assert.strictEqual((yield* run(folder, 1)).code, 0)
      rmSync(join(folder, "frazil.yaml"))
      const { code, errors } = yield* run(folder, 1)
      assert.notStrictEqual(code, 0)
      assert.match(errors.join("\n"), /key/)
      assert.notInclude(errors.join("\n"), key)
    })
  )
})
