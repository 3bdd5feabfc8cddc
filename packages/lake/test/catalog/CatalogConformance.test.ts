import { layerMemory } from "@frazil/core"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { makePointerCatalog } from "../../src/catalog/PointerCatalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { catalogConformance } from "./CatalogConformance.ts"
import { memoryPointers } from "./MemoryPointers.ts"

const warehouse = "file:///warehouse"

const files = FileIO.layer.pipe(Layer.provideMerge(layerMemory))

catalogConformance({
  name: "SQLite",
  prefix: "sqlite",
  layer: layerSqliteCatalog({ file: ":memory:", warehouse }).pipe(Layer.provideMerge(files))
})

catalogConformance({
  name: "pointers in memory",
  prefix: "memory",
  layer: Layer.effect(
    Catalog,
    Effect.map(FileIO, (fileIO) => makePointerCatalog(memoryPointers(), fileIO, warehouse))
  ).pipe(Layer.provideMerge(files))
})
