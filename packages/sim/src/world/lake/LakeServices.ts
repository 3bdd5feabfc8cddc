/** The lake as a process of the world sees it: storage, metadata files and catalog, through its door. */
import { Storage } from "@frazil/core"
import { Catalog, FileIO, makePointerCatalog } from "@frazil/lake"
import { Effect, Layer } from "effect"
import type { Durable } from "../Durable.ts"
import type { Caller, Door } from "../Port.ts"
import { noDuckDb } from "./NoDuckDb.ts"
import { faultyPointers } from "./PointerState.ts"
import { faultyStorage } from "./StorageState.ts"

const warehouse = "file:///warehouse"

/** What services remember dies with the process that they are made for. */
export const lakeServices = (door: Door, caller: Caller, { pointers, storage }: Omit<Durable, "log">) => {
  const catalog = Layer.effect(
    Catalog,
    Effect.map(FileIO, (fileIO) =>
      makePointerCatalog(faultyPointers(door, caller, pointers, storage), fileIO, warehouse)
    )
  )
  return Layer.merge(catalog.pipe(Layer.provideMerge(FileIO.layer)), noDuckDb).pipe(
    Layer.provideMerge(Layer.succeed(Storage, faultyStorage(door, caller, storage)))
  )
}
