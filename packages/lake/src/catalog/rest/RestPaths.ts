/**
 * Paths of a REST catalog's questions, encoded (OpenAPI: parameters `prefix`, `namespace`, `table`).
 *
 * Levels of a namespace are joined by the separator that the server advertises, encoded; by the unit separator (%1F) when
 * it does not. Servers refuse the latter on their own: Jetty calls it suspicious in a path.
 */
import type { TableIdentifier } from "../Catalog.ts"

const separatorDefault = "%1F"

export const levelsOf = (namespace: string): ReadonlyArray<string> => namespace.split(".")

export interface RestPaths {
  /** A namespace as the value of a query's parameter, not yet encoded. */
  readonly parameter: (namespace: string) => string
  readonly namespaces: string
  readonly namespace: (namespace: string) => string
  readonly tables: (namespace: string) => string
  readonly table: (table: TableIdentifier) => string
  readonly register: (namespace: string) => string
  readonly transaction: string
  readonly views: (namespace: string) => string
  readonly view: (view: TableIdentifier) => string
}

/** Paths below `/v1/{prefix}`. Prefix (which may have slashes) and separator are what the server's configuration says. */
export const restPaths = (prefix: string | undefined, separator: string = separatorDefault): RestPaths => {
  const trimmed = prefix?.replace(/^\/+|\/+$/g, "") ?? ""
  const base = `/v1${trimmed === "" ? "" : `/${trimmed}`}`
  const namespace = (name: string) => `${base}/namespaces/${levelsOf(name).map(encodeURIComponent).join(separator)}`
  return {
    parameter: (name) => levelsOf(name).join(decodeURIComponent(separator)),
    namespaces: `${base}/namespaces`,
    namespace,
    tables: (name) => `${namespace(name)}/tables`,
    table: (table) => `${namespace(table.namespace)}/tables/${encodeURIComponent(table.name)}`,
    register: (name) => `${namespace(name)}/register`,
    transaction: `${base}/transactions/commit`,
    views: (name) => `${namespace(name)}/views`,
    view: (view) => `${namespace(view.namespace)}/views/${encodeURIComponent(view.name)}`
  }
}
