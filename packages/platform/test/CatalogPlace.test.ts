import { assert, describe, it } from "@effect/vitest"
import { parseCatalogPlace, folderProblem, folderUriOf } from "../src/CatalogPlace.ts"
import { dataDirectory, sayCatalog } from "../src/DataDirectory.ts"
import { hasCatalog } from "../src/ExistingData.ts"

describe("CatalogPlace", () => {
  it("takes sqlite, or the address of a server without who we are", () => {
    assert.deepStrictEqual(parseCatalogPlace("sqlite"), { _tag: "Sqlite" })
    for (const url of ["http://127.0.0.1:8181", "https://catalog.example/api/catalog"]) {
      assert.deepStrictEqual(parseCatalogPlace(`${url}//`), { _tag: "Rest", url })
    }
    for (const text of ["", "rest", "ftp://x", "http://", "http://me:secret@x", "http://x?token=1"]) {
      assert.isUndefined(parseCatalogPlace(text), text)
    }
  })

  it("spells warehouses as one URI, ending in a slash", () => {
    assert.strictEqual(folderUriOf("s3a://lake/tables"), "s3://lake/tables/")
    assert.strictEqual(folderUriOf("s3://lake"), "s3://lake/")
    assert.strictEqual(folderUriOf("/a//b/"), "file:///a/b/")
    assert.strictEqual(folderUriOf("file:/a/b"), "file:///a/b/")
    assert.match(folderUriOf("a/b"), /^file:\/\/\/.*\/a\/b\/$/)
  })

  it("says what a warehouse that is none should be", () => {
    assert.strictEqual(folderProblem("s3://"), "s3://BUCKET/PREFIX")
    assert.strictEqual(folderProblem("gs://lake/tables"), "a folder, or s3://BUCKET/PREFIX")
    for (const text of ["a", "/a", "file:///a", "s3://lake/tables"]) assert.isUndefined(folderProblem(text))
  })

  it("believes that a server has a catalog, and looks for the file otherwise", () => {
    const at = { _tag: "Rest", url: "http://catalog" } as const
    const server = dataDirectory("nowhere/at/all", "s3://lake/t", undefined, at)
    assert.isTrue(hasCatalog(server))
    assert.strictEqual(sayCatalog(server), "http://catalog")
    assert.strictEqual(server.warehouseUri, "s3://lake/t/")
    const file = dataDirectory("nowhere/at/all")
    const apart = dataDirectory("nowhere/at/all", undefined, undefined, undefined, "s3a://lake/state")
    assert.strictEqual(apart.checkpointsUri, "s3://lake/state/")
    assert.match(file.checkpointsUri, /^file:\/\/\/.*\/nowhere\/at\/all\/checkpoints\/$/)
    assert.isFalse(hasCatalog(file))
    assert.match(sayCatalog(file), /catalog\.db$/)
  })
})
