/**
 * Which rows go into which file: partitions, target sizes, order, and what happens to files that nobody took.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import {
  assertRows,
  everythingSchema,
  expectedRow,
  fieldId,
  lake,
  makeBatches,
  makeWriter,
  randomInput,
  readRows,
  seeded
} from "./WriterCases.ts"

const dayOf = (input: { readonly at?: unknown }) =>
  Math.floor(Date.parse(`${String(input.at).slice(0, 23)}Z`) / 86_400_000)

const inputsOf = (seed: number, count: number, days?: number) => {
  const below = seeded(seed)
  return Array.from({ length: count }, () => randomInput(below, days))
}

const pathOf = (uri: string) => uri.slice("file://".length)

layer(lake)("files of a writer", (it) => {
  it.effect("hold one day each, every row once, in the order given", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = inputsOf(21, 3000, 4)
        const writer = yield* makeWriter({ filePrefix: "days" })
        const decode = makeBatches()
        for (let at = 0; at < 3000; at += 500) yield* writer.write(decode(inputs.slice(at, at + 500), at), 2)
        const files = yield* writer.finish
        assert.strictEqual(files.length, 4)
        for (const file of files) {
          const [day] = file.partition
          const folder = new Date(Number(day) * 86_400_000).toISOString().slice(0, 10)
          assert.include(file.filePath, `/data/at_day=${folder}/days-`)
          const expected = inputs.flatMap((input, offset) =>
            dayOf(input) === day ? [expectedRow(input, 2, offset)] : []
          )
          assertRows(yield* readRows([file], ""), expected)
        }
        assert.strictEqual(
          files.reduce((sum, file) => sum + file.recordCount, 0n),
          3000n
        )
      })
    )
  )

  it.effect("may be divided by a text as it is, with null and empty apart", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const spec = partitionSpec(everythingSchema, [
          { column: "text", transform: { _tag: "identity" } },
          { column: "flag", transform: { _tag: "identity" } }
        ])
        const inputs = inputsOf(22, 600)
        const writer = yield* makeWriter({ filePrefix: "texts", spec, partitionsOpenMax: 7 })
        yield* writer.write(makeBatches()(inputs), 0)
        const files = yield* writer.finish
        for (const file of files) {
          const [text, flag] = file.partition
          for (const row of yield* readRows([file])) {
            assert.isTrue(row["text"] === text)
            assert.strictEqual(row["flag"], flag === null ? null : String(flag))
          }
        }
        assertRows(
          yield* readRows(files),
          inputs.map((input, offset) => expectedRow(input, 0, offset))
        )
      })
    )
  )

  it.effect("end at their target size and are numbered on; a finished writer goes on", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = inputsOf(23, 6000, 1)
        const writer = yield* makeWriter({ filePrefix: "sizes", rowGroupRowsMax: 500, fileBytesTarget: 60_000 })
        const decode = makeBatches()
        for (let at = 0; at < 5000; at += 1000) yield* writer.write(decode(inputs.slice(at, at + 1000), at), 0)
        const first = yield* writer.finish
        assert.isAbove(first.length, 2)
        for (const file of first.slice(0, -1)) {
          assert.isAtLeast(Number(file.fileSizeInBytes), 60_000)
          assert.isBelow(Number(file.fileSizeInBytes), 120_000)
          assert.isAbove(file.splitOffsets.length, 1)
        }
        assert.deepStrictEqual(yield* writer.finish, [])
        yield* writer.write(decode(inputs.slice(5000), 5000), 0)
        const second = yield* writer.finish
        const names = new Set([...first, ...second].map((file) => file.filePath))
        assert.strictEqual(names.size, first.length + second.length)
        assertRows(
          yield* readRows([...first, ...second]),
          inputs.map((input, offset) => expectedRow(input, 0, offset))
        )
      })
    )
  )

  it.effect("lose no row when more partitions come than may be open, and buffers are small", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = inputsOf(24, 1000, 15)
        const writer = yield* makeWriter({
          filePrefix: "many",
          partitionsOpenMax: 5,
          bufferBytesMax: 20_000,
          buffersBytesMax: 60_000
        })
        const decode = makeBatches()
        for (let at = 0; at < 1000; at += 250) yield* writer.write(decode(inputs.slice(at, at + 250), at), 1)
        const files = yield* writer.finish
        assert.isAbove(files.length, 15)
        assertRows(
          yield* readRows(files),
          inputs.map((input, offset) => expectedRow(input, 1, offset))
        )
      })
    )
  )

  it.effect("are sorted when the table asks for it, equal rows in the order of the log", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inputs = inputsOf(25, 1500, 1)
        const sortOrder = {
          orderId: 3,
          fields: [
            {
              sourceId: fieldId("flag"),
              transform: { _tag: "identity" as const },
              direction: "desc" as const,
              nullOrder: "nulls-last" as const
            }
          ]
        }
        const writer = yield* makeWriter({ filePrefix: "sorted", sortOrder, bufferBytesMax: 200_000 })
        const decode = makeBatches()
        for (let at = 0; at < 1500; at += 500) yield* writer.write(decode(inputs.slice(at, at + 500), at), 0)
        const files = yield* writer.finish
        assert.isAbove(files.length, 1)
        const rank = (value: unknown) => ["true", "false", null].indexOf(value === null ? null : String(value))
        for (const file of files) {
          assert.strictEqual(file.sortOrderId, 3)
          const rows = yield* readRows([file], "")
          const places = rows.map((row) => rank(row["flag"]) * 1e6 + Number(row["source_offset"]))
          assert.deepStrictEqual(
            places,
            [...places].sort((a, b) => a - b)
          )
        }
        assert.strictEqual(
          files.reduce((sum, file) => sum + Number(file.recordCount), 0),
          1500
        )
      })
    )
  )

  it.effect("that nobody took are removed with the writer; those taken stay", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const writer = yield* Scope.provide(
        makeWriter({ filePrefix: "left", rowGroupRowsMax: 100, fileBytesTarget: 1 }),
        scope
      )
      const decode = makeBatches()
      yield* writer.write(decode(inputsOf(26, 300, 1)), 0)
      const taken = yield* writer.finish
      yield* writer.write(decode(inputsOf(27, 350, 1)), 0)
      yield* writer.write(decode(inputsOf(28, 10, 1)), 0)
      yield* Scope.close(scope, Exit.void)
      const folder = join(pathOf(taken[0]!.filePath), "..")
      const left = readdirSync(folder).filter((name) => name.startsWith("left-"))
      assert.deepStrictEqual(
        left.toSorted(),
        taken.map((file) => pathOf(file.filePath).slice(folder.length + 1)).toSorted()
      )
      const { scratchDirectory } = yield* DuckDb
      assert.deepStrictEqual(
        readdirSync(scratchDirectory).filter((name) => name.startsWith("writer_")),
        []
      )
    })
  )

  it.effect("are never half written: an interrupted writer writes nothing more", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const writer = yield* makeWriter({ filePrefix: "cut", rowGroupRowsMax: 50 })
        const batch = makeBatches()(inputsOf(29, 5000, 3))
        const fiber = yield* Effect.forkChild(writer.write(batch, 0), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        const error = yield* Effect.flip(writer.finish)
        assert.strictEqual(error.reason, "Unavailable")
        assert.isTrue(existsSync((yield* DuckDb).scratchDirectory))
      })
    )
  )
})
