import { assert, describe, it } from "@effect/vitest"
import { FileSet } from "../../src/maintenance/FileSet.ts"

/** A file as metadata names it, and as a listing does. */
const same: ReadonlyArray<readonly [string, string]> = [
  ["file:/warehouse/a b/x.parquet", "file:///warehouse/a b/x.parquet"],
  ["/warehouse/a b/./x.parquet", "file:///warehouse/a b/x.parquet"],
  ["file://localhost/warehouse/a b//x.parquet", "file:///warehouse/a b/x.parquet"],
  ["FILE:/warehouse/x.parquet", "file:///warehouse/x.parquet"],
  ["file:/warehouse/a%20b/x.parquet", "file:///warehouse/a b/x.parquet"],
  ["file:/warehouse/a b/x.parquet", "file:///warehouse/a%20b/x.parquet"],
  ["file:///warehouse/a%2520b/x.parquet", "file:///warehouse/a%20b/x.parquet"],
  ["file:///warehouse/day=2026-01-01%2012%3A00/x.parquet", "file:///warehouse/day=2026-01-01 12:00/x.parquet"],
  ["file:///warehouse/100%/x.parquet", "file:///warehouse/100%/x.parquet"],
  ["file:/warehouse/%E2%82%AC/x.parquet", "file:///warehouse/€/x.parquet"],
  ["s3a://bucket/t/x.parquet", "s3://bucket/t/x.parquet"],
  ["s3n://bucket/t/x.parquet", "s3://bucket/t/x.parquet"],
  ["S3A://bucket/t/x.parquet", "s3://bucket/t/x.parquet"],
  ["s3://bucket/t//data/x.parquet", "s3://bucket/t/data/x.parquet"],
  ["s3://bucket/t/data/x.parquet/", "s3://bucket/t/data/x.parquet"],
  ["s3a://bucket/t/a%20b/x.parquet", "s3://bucket/t/a b/x.parquet"],
  ["oss://bucket/t/x.parquet", "s3://bucket/t/x.parquet"]
]

const different: ReadonlyArray<readonly [string, string]> = [
  ["file:///warehouse/x.parquet", "file:///warehouse/y.parquet"],
  ["file:///warehouse/X.parquet", "file:///warehouse/x.parquet"],
  ["file:///warehouse/a/x.parquet", "file:///warehouse/ax.parquet"],
  ["s3://bucket/t/x.parquet", "s3://other/t/x.parquet"],
  ["s3://warehouse/x.parquet", "file:///warehouse/x.parquet"],
  ["gs://bucket/t/x.parquet", "s3://bucket/t/x.parquet"],
  ["file:///warehouse/a+b/x.parquet", "file:///warehouse/a b/x.parquet"]
]

const equalSchemes = new Map([["oss", "s3"]])

describe("FileSet", () => {
  for (const [named, listed] of same) {
    it(`knows ${listed} by ${named}`, () => {
      const files = new FileSet(equalSchemes)
      assert.isTrue(files.add(named))
      assert.isTrue(files.has(listed))
      assert.isFalse(files.add(listed))
    })
  }

  for (const [named, listed] of different) {
    it(`does not take ${listed} for ${named}`, () => {
      const files = new FileSet(equalSchemes)
      files.add(named)
      assert.isFalse(files.has(listed))
    })
  }

  it("takes other schemes for the same only when told", () => {
    const files = new FileSet()
    files.add("oss://bucket/x.parquet")
    assert.isFalse(files.has("s3://bucket/x.parquet"))
  })
})
