/**
 * Views of a REST catalog as objects of the protocol (view specification, version 1).
 *
 * They are listed, loaded, made, replaced and dropped; their SQL is another engine's and is not run here.
 */
import type { JsonObject, JsonValue } from "../../spec/Json.ts"
import {
  readInt,
  readList,
  readObject,
  readOptional,
  readSafeInteger,
  readString,
  readStringMap,
  stringMapToJson,
  type Read,
  type StringMap
} from "../../spec/JsonRead.ts"
import { highestFieldId, schemaFromJson, schemaToJson, type TableSchema } from "../../spec/Schema.ts"
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import { identifierText, type TableIdentifier } from "../Catalog.ts"
import { levelsOf } from "./RestPaths.ts"

/** One text of a view, in the words of one engine. */
export interface ViewText {
  readonly sql: string
  readonly dialect: string
}

export interface ViewVersion {
  readonly versionId: number
  readonly schemaId: number
  readonly timestampMs: number
  readonly summary: StringMap
  readonly texts: ReadonlyArray<ViewText>
  /** Names without a namespace are taken from here. */
  readonly defaultNamespace: string
}

export interface View {
  readonly identifier: TableIdentifier
  readonly metadataLocation: string
  readonly viewUuid: string
  readonly location: string
  readonly currentVersionId: number
  readonly versions: ReadonlyArray<ViewVersion>
  readonly schemas: ReadonlyArray<TableSchema>
  readonly properties: StringMap
}

/** A view to be made, or what one is replaced by. */
export interface ViewDefinition {
  readonly identifier: TableIdentifier
  readonly schema: TableSchema
  readonly texts: ReadonlyArray<ViewText>
  readonly defaultNamespace: string
  readonly properties?: StringMap
}

/** Other kinds of representation than SQL are left out: the protocol allows for them, none exists yet. */
const readTexts = (value: JsonValue | undefined, where: string): ReadonlyArray<ViewText> =>
  readList(value, where, readObject).flatMap((representation, i) =>
    representation["type"] === "sql"
      ? [
          {
            sql: readString(representation["sql"], `${where}[${i}].sql`),
            dialect: readString(representation["dialect"], `${where}[${i}].dialect`)
          }
        ]
      : []
  )

const readVersion: Read<ViewVersion> = (value, where) => {
  const object = readObject(value, where)
  return {
    versionId: readInt(object["version-id"], `${where}.version-id`),
    schemaId: readInt(object["schema-id"], `${where}.schema-id`),
    timestampMs: readSafeInteger(object["timestamp-ms"], `${where}.timestamp-ms`),
    summary: readOptional(object["summary"], `${where}.summary`, readStringMap) ?? new Map(),
    texts: readTexts(object["representations"], `${where}.representations`),
    defaultNamespace: readList(object["default-namespace"], `${where}.default-namespace`, readString).join(".")
  }
}

/** A view as LoadViewResult holds it. */
export const viewFromJson = (identifier: TableIdentifier, answer: JsonObject): View => {
  const metadata = readObject(answer["metadata"], "metadata")
  const formatVersion = readInt(metadata["format-version"], "metadata.format-version")
  if (formatVersion !== 1) return unsupported(`format version ${formatVersion} of views: version 1 is read here`)
  const view = {
    identifier,
    metadataLocation: readString(answer["metadata-location"], "metadata-location"),
    viewUuid: readString(metadata["view-uuid"], "metadata.view-uuid"),
    location: readString(metadata["location"], "metadata.location"),
    currentVersionId: readInt(metadata["current-version-id"], "metadata.current-version-id"),
    versions: readList(metadata["versions"], "metadata.versions", readVersion),
    schemas: readList(metadata["schemas"], "metadata.schemas", schemaFromJson),
    properties: readOptional(metadata["properties"], "metadata.properties", readStringMap) ?? new Map()
  }
  const current = view.versions.find(({ versionId }) => versionId === view.currentVersionId)
  if (current === undefined) {
    return corrupt("metadata.current-version-id", `view ${identifierText(identifier)} has no version of this id`)
  }
  return view.schemas.some(({ schemaId }) => schemaId === current.schemaId)
    ? view
    : corrupt("metadata.versions.schema-id", `view ${identifierText(identifier)} has no schema ${current.schemaId}`)
}

const engineName = "frazil"

const textToJson = ({ dialect, sql }: ViewText): JsonObject => ({ type: "sql", sql, dialect })

const versionToJson = (definition: ViewDefinition, versionId: number, schemaId: number, nowMs: number): JsonObject => ({
  "version-id": versionId,
  "schema-id": schemaId,
  "timestamp-ms": Math.floor(nowMs),
  summary: { "engine-name": engineName },
  representations: definition.texts.map(textToJson),
  "default-namespace": levelsOf(definition.defaultNamespace)
})

/** CreateViewRequest. */
export const createViewToJson = (definition: ViewDefinition, nowMs: number): JsonObject => ({
  name: definition.identifier.name,
  schema: schemaToJson(definition.schema),
  "view-version": versionToJson(definition, 1, 0, nowMs),
  properties: stringMapToJson(definition.properties ?? new Map())
})

/** CommitViewRequest that puts the definition in force as a new version, on exactly this view. */
export const replaceViewToJson = (view: View, definition: ViewDefinition, nowMs: number): JsonObject => {
  const shape = (schema: TableSchema) => JSON.stringify(schemaToJson({ ...schema, schemaId: 0 }))
  // a schema that the view has is not added again, so it is not "the one added last", which -1 means
  const known = view.schemas.find((schema) => shape(schema) === shape(definition.schema))
  const versionId = Math.max(...view.versions.map((version) => version.versionId)) + 1
  // nor is a version added again that says the same
  const before = view.versions.find(
    (version) =>
      version.schemaId === known?.schemaId &&
      version.defaultNamespace === definition.defaultNamespace &&
      version.summary.size === 1 &&
      version.summary.get("engine-name") === engineName &&
      JSON.stringify(version.texts.map(textToJson)) === JSON.stringify(definition.texts.map(textToJson))
  )
  return {
    identifier: { namespace: levelsOf(view.identifier.namespace), name: view.identifier.name },
    requirements: [{ type: "assert-view-uuid", uuid: view.viewUuid }],
    updates: [
      ...(known === undefined
        ? [
            {
              action: "add-schema",
              schema: schemaToJson(definition.schema),
              "last-column-id": highestFieldId(definition.schema)
            }
          ]
        : []),
      ...(before === undefined
        ? [
            {
              action: "add-view-version",
              "view-version": versionToJson(definition, versionId, known?.schemaId ?? -1, nowMs)
            }
          ]
        : []),
      { action: "set-current-view-version", "view-version-id": before?.versionId ?? -1 },
      ...(definition.properties === undefined || definition.properties.size === 0
        ? []
        : [{ action: "set-properties", updates: stringMapToJson(definition.properties) }])
    ]
  }
}
