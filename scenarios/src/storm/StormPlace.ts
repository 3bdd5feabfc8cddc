/** Where a storm happens, how rough it is, and who takes part: said to each process as JSON. */
import { FileCache, HttpCalls, layerLocal, layerS3 } from "@frazil/core"
import { DuckDb, FileIO, layerRestCatalog, layerSqliteCatalog } from "@frazil/lake"
import { s3Keys } from "@frazil/sim/servers"
import { Layer, Redacted } from "effect"

export interface StormPlace {
  /** Local folder of diaries, scratch files, and of catalog and warehouse where no servers have them. */
  readonly folder: string
  /** Java's REST catalog on a store of objects; a SQLite file and local disk when left out. */
  readonly servers?: { readonly catalog: string; readonly store: string }
  readonly limits: StormLimits
}

export interface StormLimits {
  /** A turn is given up after it, a commit with all its repetitions included: somebody who hangs is no finding. */
  readonly attemptMsMax: number
  /** Files are orphans from this age on, and only if they are older than every turn that is under way, too. */
  readonly orphanAgeMsMin: number
  readonly snapshotAgeMsMax: number
}

export const roles = ["append", "compact", "expire", "evolve", "orphans"] as const
export type Role = (typeof roles)[number]

/** How many processes play each role. */
export const cast: Readonly<Record<Role, number>> = { append: 8, compact: 2, expire: 1, evolve: 1, orphans: 1 }

export const stormTable = { namespace: "storm", name: "rows" } as const
export const bucket = "storm"
/** So many values has the table's partition column. */
export const partitions = 2

export const warehouseOf = ({ folder, servers }: StormPlace): string =>
  servers === undefined ? `file://${folder}/warehouse` : `s3://${bucket}/tables`

export const catalogFile = ({ folder }: StormPlace): string => `${folder}/catalog.db`

/** Of one call; an attempt has its own bound. A server that is gone is asked again by who needs it, not by the client. */
const patience = {
  retriesMax: 3,
  waitMinMs: 50,
  waitMaxMs: 1_000,
  retryAfterMsMax: 2_000,
  timeoutMs: 10_000,
  commitTimeoutMs: 10_000
}

const storageLayer = (place: StormPlace) => {
  if (place.servers === undefined) return layerLocal(warehouseOf(place))
  const cache = FileCache.layer({ folder: `${place.folder}/cache`, bytesMax: 256 * 1024 ** 2 })
  const options = {
    root: warehouseOf(place),
    region: s3Keys.region,
    accessKeyId: Redacted.make(s3Keys.accessKeyId),
    secretAccessKey: Redacted.make(s3Keys.secretAccessKey),
    endpoint: place.servers.store
  }
  return layerS3(options).pipe(Layer.provide(cache), Layer.provide(HttpCalls.layer))
}

const catalogLayer = (place: StormPlace) =>
  place.servers === undefined
    ? layerSqliteCatalog({ file: catalogFile(place), warehouse: warehouseOf(place) })
    : layerRestCatalog({ url: place.servers.catalog, tablesUri: warehouseOf(place), patience }).pipe(
        Layer.provide(HttpCalls.layer)
      )

/** What a process of the storm opens. */
export const stormLayer = (place: StormPlace) =>
  catalogLayer(place).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provideMerge(storageLayer(place)),
    Layer.provideMerge(DuckDb.layer({ dataDirectory: place.folder, memoryBytesMax: 128 * 1024 ** 2 }))
  )
