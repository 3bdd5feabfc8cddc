/** State on disk without a job around it, for who measures it: `@frazil/engine/store`. */
export { EmbeddedStore } from "./EmbeddedStore.ts"
export { StoredMap } from "./StoredMap.ts"
