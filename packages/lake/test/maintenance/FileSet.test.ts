import { assert, describe, it } from "@effect/vitest"
import { FileSet } from "../../src/maintenance/FileSet.ts"

describe("FileSet", () => {
  it("knows a file in every spelling, and no other", () => {
    const files = new FileSet()
    assert.isTrue(files.add("file:/warehouse/a b/x.parquet"))
    for (const uri of [
      "file:///warehouse/a b/x.parquet",
      "/warehouse/a b/./x.parquet",
      "file://localhost/warehouse/a b//x.parquet"
    ]) {
      assert.isTrue(files.has(uri), uri)
      assert.isFalse(files.add(uri), uri)
    }
    assert.isFalse(files.has("file:///warehouse/a%20b/x.parquet"))
    assert.isFalse(files.has("s3://warehouse/a b/x.parquet"))
  })
})
