/** What compaction chooses at its bounds, on both sides of each: as Java's `SizeBasedFileRewritePlanner` has them. */
import { assert, describe, it } from "@effect/vitest"
import { type CompactionBudget, planCompaction, withinBudget } from "../../src/maintenance/PlanCompaction.ts"
import { eventSpec } from "../LakeFixtures.ts"
import { plannedDeletes, plannedFile } from "./PlannedFiles.ts"

const entry = (name: string, bytes: number, rows?: number) => plannedFile(name, 20_000, bytes, rows)

const sizes = { fileBytesTarget: 1_000, inputFilesMin: 5 }

/** Sizes of the files of each group, and what they become. */
const chosen = (bytes: ReadonlyArray<number>, inputFilesMin = sizes.inputFilesMin, rows?: number) =>
  planCompaction({ entries: bytes.map((each, i) => entry(`f${i}`, each, rows)), deletes: new Map() }, () => eventSpec, {
    ...sizes,
    inputFilesMin
  }).map(({ files, pieces }) => [files.map(({ fileSizeInBytes }) => Number(fileSizeInBytes)), pieces])

/** Whether a file of good size is rewritten for its deletes. */
const heavy = (rows: number, ...deleted: ReadonlyArray<number>): boolean => {
  const one = entry("one", 900, rows)
  const deletes = new Map([[one, plannedDeletes(one, ...deleted)]])
  return planCompaction({ entries: [one], deletes }, () => eventSpec, sizes).length > 0
}

describe("what compaction chooses", () => {
  it("is small below three quarters of the target, and large beyond 1.8 of it", () => {
    assert.deepStrictEqual(chosen([749, 1]), [], "too few")
    assert.deepStrictEqual(chosen([749, 1], 2), [[[749, 1], 1]])
    assert.deepStrictEqual(chosen([750, 1], 2), [])
    assert.deepStrictEqual(chosen([1_800]), [])
    assert.deepStrictEqual(chosen([1_801]), [[[1_801], 2]])
    assert.deepStrictEqual(chosen([1_801], 5, 1), [], "one row cannot be divided")
  })

  it("is as many small files as are worth it, or fewer that are more than one file", () => {
    assert.deepStrictEqual(chosen([100, 100, 100, 100]), [])
    assert.deepStrictEqual(chosen([100, 100, 100, 100, 100]), [[[100, 100, 100, 100, 100], 1]])
    assert.deepStrictEqual(chosen([400, 400, 200]), [], "exactly one file")
    assert.deepStrictEqual(chosen([400, 400, 201]), [[[400, 400], 1]])
  })

  it("fills files up to the target and not beyond, and leaves a file alone", () => {
    assert.deepStrictEqual(chosen([500, 500, 1], 2), [[[500, 500], 1]])
    assert.deepStrictEqual(chosen([500, 501, 499], 2), [[[501, 499], 1]])
    assert.deepStrictEqual(chosen([1]), [])
    assert.deepStrictEqual(chosen([1], 1), [], "however few are worth it")
    assert.deepStrictEqual(chosen([]), [])
  })

  it("is a file with five delete files, or three tenths of its rows deleted", () => {
    assert.isFalse(heavy(100, 1, 1, 1, 1))
    assert.isTrue(heavy(100, 1, 1, 1, 1, 1))
    assert.isFalse(heavy(100, 29))
    assert.isTrue(heavy(100, 30))
    assert.isTrue(heavy(100, 10, 20))
    assert.isFalse(heavy(0), "a file of another writer without rows has none to be deleted")
  })

  it("ends with the budget: what uses it up exactly is in", () => {
    const groups = [
      { files: [entry("a", 300), entry("b", 300)].map(({ dataFile }) => dataFile), pieces: 1 },
      { files: [entry("c", 400)].map(({ dataFile }) => dataFile), pieces: 1 }
    ]
    const taken = (budget: CompactionBudget) => {
      const { groups: allowed, left } = withinBudget(groups, budget)
      assert.strictEqual(allowed.length + left, 2)
      return allowed.map(({ files }) => files.length)
    }
    assert.deepStrictEqual(taken({ bytesMax: 1_000 }), [2, 1])
    assert.deepStrictEqual(taken({ bytesMax: 999 }), [2])
    assert.deepStrictEqual(taken({ bytesMax: 600 }), [2])
    assert.deepStrictEqual(taken({ bytesMax: 599 }), [1], "one that does not fit makes room for another")
    assert.deepStrictEqual(taken({ filesMax: 3 }), [2, 1])
    assert.deepStrictEqual(taken({ filesMax: 2 }), [2])
    assert.deepStrictEqual(taken({ bytesMax: 0 }), [])
  })
})
