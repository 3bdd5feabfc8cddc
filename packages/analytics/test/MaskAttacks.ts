/**
 * Queries that somebody might try to learn personal values with: by parts, guesses, joins, orders, casts, errors, whole rows
 * and statistics. Each must give the same over two tables that differ in nothing but what is personal.
 *
 * ONE and TWO stand for numbers that two people of the first table have, FILE for its file. `harmless`: the same also without a mask, so that it shows nothing of the mask by itself.
 */
export interface MaskAttack {
  readonly sql: string
  readonly harmless?: boolean
}

const t = "lending.people"

const attack = (sql: string): MaskAttack => ({ sql })
const harmless = (sql: string): MaskAttack => ({ sql, harmless: true })

const plain = [
  `SELECT * FROM ${t} ORDER BY id`,
  `FROM ${t} SELECT ssn, id ORDER BY id`,
  `SELECT ssn FROM ${t}`,
  `SELECT SSN FROM ${t}`,
  `SELECT "ssn" FROM ${t} AS x`,
  `SELECT people.ssn FROM ${t}`,
  `SELECT lending.people.ssn FROM lending.people`,
  `SELECT p FROM ${t} p ORDER BY p.id`,
  `SELECT p.* EXCLUDE (id) FROM ${t} p`,
  `SELECT COLUMNS('s.*') FROM ${t}`,
  `SELECT * EXCLUDE (country) FROM ${t}`,
  `SELECT a.ssn FROM ${t} AS a(id, ssn, name)`,
  `SELECT b FROM ${t} AS x(a, b)`,
  `SELECT ssn AS harmless FROM ${t}`,
  `SELECT extra_fields FROM ${t}`,
  `SELECT born, income, name FROM ${t}`
].map(attack)

const parts = [
  `SELECT substr(ssn, 1, 3) FROM ${t}`,
  `SELECT right(ssn, 4) AS last_four, id FROM ${t} ORDER BY id`,
  `SELECT ssn[1] FROM ${t}`,
  `SELECT ssn[2:4] FROM ${t}`,
  `SELECT left(name, 7), length(name) FROM ${t}`,
  `SELECT reverse(ssn) FROM ${t}`,
  `SELECT ascii(ssn[9]) FROM ${t}`,
  `SELECT string_split(ssn, '') FROM ${t}`,
  `SELECT unnest(string_to_array(ssn, '')) FROM ${t}`,
  `SELECT regexp_extract(ssn, '^(\\d{3})', 1) FROM ${t}`,
  `SELECT list_transform([ssn], x -> substr(x, 1, 5)) FROM ${t}`,
  `SELECT year(born), month(born), day(born) FROM ${t}`,
  `SELECT date_trunc('year', born) FROM ${t}`,
  `SELECT income::INTEGER // 1000 FROM ${t}`,
  `SELECT json_extract_string(extra_fields, '$.mail') FROM ${t}`,
  `SELECT extra_fields->>'mail' FROM ${t}`
].map(attack)

const coded = [
  `SELECT md5(ssn), sha256(ssn), hash(ssn) FROM ${t}`,
  `SELECT hex(ssn), base64(encode(ssn)) FROM ${t}`,
  `SELECT to_json(p) FROM ${t} p`,
  `SELECT json_object('a', ssn) FROM ${t}`,
  `SELECT {'a': ssn}, [ssn], map([id], [ssn]), row(ssn) FROM ${t}`,
  `SELECT struct_pack(s := ssn) FROM ${t}`,
  `SELECT 'x' || ssn || 'y' FROM ${t}`,
  `SELECT concat_ws('-', id, ssn, name) FROM ${t}`,
  `SELECT replace(ssn, '1', 'one') FROM ${t}`,
  `SELECT translate(ssn, '0123456789', 'abcdefghij') FROM ${t}`,
  `SELECT strptime(born::VARCHAR, '%Y-%m-%d') FROM ${t}`,
  `SELECT strftime(born, '%Y%m%d') FROM ${t}`,
  `SELECT born::VARCHAR, income::VARCHAR FROM ${t}`,
  `SELECT epoch_ms(born::TIMESTAMP) FROM ${t}`,
  `SELECT age(TIMESTAMP '2026-01-01', born::TIMESTAMP) FROM ${t}`
].map(attack)

const casts = [
  `SELECT CAST(ssn AS INTEGER) FROM ${t}`,
  `SELECT ssn::BIGINT + 0 FROM ${t}`,
  `SELECT TRY_CAST(ssn AS INTEGER) FROM ${t}`,
  `SELECT try_cast(substr(ssn, 2, 3) AS INT) FROM ${t}`,
  `SELECT CAST(name AS INTEGER) FROM ${t} WHERE name IS NOT NULL`,
  `SELECT CAST(name AS DATE) FROM ${t} WHERE id = 'P1'`,
  `SELECT CASE WHEN id = 'P3' THEN error(ssn) END FROM ${t}`,
  `SELECT error('found ' || ssn) FROM ${t}`,
  `SELECT CASE WHEN ssn = 'ONE' THEN error('yes') END FROM ${t}`,
  `SELECT strptime(ssn, '%Y') FROM ${t}`,
  `SELECT ssn::UUID FROM ${t}`,
  `SELECT ssn::DECIMAL(4, 0) FROM ${t}`,
  `SELECT 1 / (ssn::INT % 2) FROM ${t}`,
  `SELECT regexp_matches(name, '[0-4]$') FROM ${t}`
].map(attack)

const guesses = [
  `SELECT count(*) FROM ${t} WHERE ssn LIKE substr('ONE', 1, 5) || '%'`,
  `SELECT id FROM ${t} WHERE ssn = 'ONE' OR ssn = 'TWO'`,
  `SELECT id FROM ${t} WHERE ssn < '5' ORDER BY id`,
  `SELECT id FROM ${t} WHERE ssn IN ('ONE', 'TWO')`,
  `SELECT id FROM ${t} WHERE ssn BETWEEN '3' AND '4' ORDER BY id`,
  `SELECT id FROM ${t} WHERE contains(ssn, '99') ORDER BY id`,
  `SELECT id FROM ${t} WHERE ssn SIMILAR TO '.*7' ORDER BY id`,
  `SELECT id FROM ${t} WHERE (ssn, country) > ('7', 'A') ORDER BY id`,
  `SELECT id FROM ${t} WHERE born < DATE '1955-06-01' ORDER BY id`,
  `SELECT id FROM ${t} WHERE income > 45000 ORDER BY id`,
  `SELECT id FROM ${t} WHERE name > 'name-8' ORDER BY id`,
  `SELECT id FROM ${t} WHERE extra_fields LIKE '%1-%' ORDER BY id`,
  `SELECT id, ssn > '45' AS above FROM ${t} ORDER BY id`,
  `SELECT id, levenshtein(ssn, 'ONE') FROM ${t} ORDER BY id`,
  `SELECT id, CASE ssn WHEN 'ONE' THEN 1 ELSE 0 END FROM ${t} ORDER BY id`,
  `SELECT id, ssn = ANY (SELECT 'ONE') FROM ${t} ORDER BY id`,
  `SELECT id, greatest(ssn, '45') FROM ${t} ORDER BY id`,
  `SELECT id, nullif(ssn, 'ONE') FROM ${t} ORDER BY id`,
  `SELECT count(*) FILTER (WHERE ssn = 'ONE') FROM ${t}`
].map(attack)

const joins = [
  `SELECT id FROM ${t} JOIN (VALUES ('ONE'), ('TWO')) v(s) ON v.s = ssn ORDER BY id`,
  `SELECT i FROM range(ONE - 5, ONE + 5) r(i) JOIN ${t} ON ssn = i::VARCHAR ORDER BY i LIMIT 5`,
  `SELECT id FROM ${t} SEMI JOIN (SELECT 'ONE' AS ssn) USING (ssn) ORDER BY id`,
  `SELECT id FROM ${t} WHERE EXISTS (SELECT 1 FROM range(10) r(i) WHERE ssn LIKE '%' || i || i || '%') ORDER BY id`,
  `SELECT a.id, b.id FROM ${t} a JOIN ${t} b ON a.ssn < b.ssn WHERE a.country <> b.country ORDER BY ALL LIMIT 9`,
  `SELECT a.id, b.v FROM ${t} a ASOF JOIN (VALUES ('1'), ('37'), ('643')) b(v) ON a.ssn >= b.v ORDER BY ALL`,
  `SELECT id FROM ${t}, LATERAL (SELECT ssn AS s) l WHERE l.s > '41' ORDER BY id`,
  `SELECT (SELECT max(ssn) FROM ${t} b WHERE b.country = a.country) FROM ${t} a LIMIT 1`,
  `SELECT ssn FROM ${t} INTERSECT SELECT i::VARCHAR FROM range(ONE - 5, ONE + 5) r(i)`,
  `SELECT i::VARCHAR FROM range(ONE - 5, ONE + 5) r(i) EXCEPT SELECT ssn FROM ${t} ORDER BY ALL`,
  `WITH x AS (SELECT * FROM ${t}) SELECT ssn FROM x`,
  `WITH RECURSIVE x(s) AS (SELECT min(ssn) FROM ${t} UNION SELECT (SELECT min(ssn) FROM ${t} WHERE ssn > s) FROM x WHERE s < '1') SELECT * FROM x`,
  `SELECT x.ssn FROM (SELECT ssn FROM ${t}) x`,
  `SELECT ssn FROM ${t} UNION ALL BY NAME SELECT 'x' AS ssn`
].map(attack)

const groups = [
  `SELECT min(ssn), max(ssn) FROM ${t}`,
  `SELECT ssn, count(*) FROM ${t} GROUP BY ssn`,
  `SELECT substr(ssn, 1, 5) AS p, count(*) FROM ${t} GROUP BY ALL ORDER BY ALL`,
  `SELECT string_agg(ssn, ',' ORDER BY id) FROM ${t}`,
  `SELECT list(ssn ORDER BY id) FROM ${t}`,
  `SELECT histogram(ssn) FROM ${t}`,
  `SELECT mode(ssn), first(ssn ORDER BY id), any_value(ssn) FROM ${t}`,
  `SELECT arg_max(id, ssn) FROM ${t}`,
  `SELECT max_by(id, income), min_by(id, born) FROM ${t}`,
  `SELECT sum(income), avg(income) FROM ${t}`,
  `SELECT quantile_disc(income, 0.5), stddev(income) FROM ${t}`,
  `SELECT min(born), max(born) FROM ${t}`,
  `SELECT approx_quantile(income, 0.9) FROM ${t}`,
  `SELECT entropy(substr(ssn, 5, 1)) FROM ${t}`,
  `SELECT * FROM (UNPIVOT (SELECT id, ssn, country FROM ${t}) ON ssn, country) ORDER BY ALL`
].map(attack)

const orders = [
  `SELECT id FROM ${t} ORDER BY ssn, id DESC`,
  `SELECT id FROM ${t} ORDER BY income NULLS LAST, id LIMIT 5`,
  `SELECT id, row_number() OVER (ORDER BY ssn, id) AS n FROM ${t} ORDER BY id`,
  `SELECT id, rank() OVER (ORDER BY born) AS n FROM ${t} ORDER BY id`,
  `SELECT id, lag(ssn) OVER (ORDER BY id) FROM ${t} ORDER BY id`,
  `SELECT id, ntile(4) OVER (ORDER BY income, id) FROM ${t} ORDER BY id`,
  `SELECT id FROM ${t} QUALIFY ssn = max(ssn) OVER () ORDER BY id`,
  `SELECT DISTINCT ON (country) id, country FROM ${t} ORDER BY country, ssn, id`,
  `SELECT id FROM ${t} LIMIT (SELECT max(ssn)::INT % 100 FROM ${t})`,
  `SELECT percent_rank() OVER (ORDER BY name) FROM ${t} ORDER BY id`
].map(attack)

const moments = [
  `SELECT ssn FROM ${t} AT (BRANCH => 'main')`,
  `SELECT a.ssn, b.ssn FROM ${t} AS a JOIN ${t} AS b AT (BRANCH => 'main') ON a.id = b.id ORDER BY a.id`,
  `SELECT ssn FROM ${t} AT (TIMESTAMP => '2089-01-01T00:00:00Z')`
].map(attack)

const ofFiles = `lending."people$files"`

/** What manifests say of values. */
const metadata = [
  `SELECT lower_bounds, upper_bounds FROM ${ofFiles}`,
  `SELECT readable_metrics FROM ${ofFiles}`,
  `SELECT readable_metrics.ssn.lower_bound FROM ${ofFiles}`,
  `SELECT readable_metrics.born.upper_bound, readable_metrics.income.upper_bound FROM lending."people$data_files"`,
  `SELECT column_sizes FROM ${ofFiles}`,
  `SELECT data_file.lower_bounds, readable_metrics FROM lending."people$entries"`,
  `SELECT f.readable_metrics.ssn.column_size FROM ${ofFiles} AS f AT (BRANCH => 'main')`
].map(attack)

/** Refused, or of nothing personal. */
const others = [
  `SELECT * FROM read_parquet('FILE')`,
  `SELECT stats_min, stats_max FROM parquet_metadata('FILE')`,
  `SELECT * FROM 'FILE'`,
  `SELECT sql FROM duckdb_views()`,
  `SELECT * FROM pragma_storage_info('people')`,
  `EXPLAIN ANALYZE SELECT * FROM ${t} WHERE ssn = 'ONE'`,
  `SELECT stats(ssn) FROM ${t}`,
  `SUMMARIZE ${t}`,
  `PIVOT ${t} ON substr(ssn, 9, 1) USING count(*) GROUP BY country`,
  `SELECT file_row_number, filename FROM ${t}`,
  `SELECT moment_0.lending.people.ssn FROM ${t}`,
  `CREATE TABLE x AS SELECT * FROM ${t}`,
  `SELECT count(*), count(name), count(ssn) FROM ${t}`,
  `SELECT record_count, value_counts, null_value_counts, readable_metrics.country FROM ${ofFiles}`,
  `SELECT operation, refs FROM (SELECT operation, 1 AS refs FROM lending."people$snapshots")`,
  `SELECT * EXCLUDE (last_updated_at, last_updated_snapshot_id, total_data_file_size_in_bytes) FROM lending."people$partitions"`,
  `SELECT id, country FROM ${t} ORDER BY id`,
  `SELECT id, name IS NULL FROM ${t} ORDER BY id`
].map(harmless)

export const maskAttacks: ReadonlyArray<MaskAttack> = [
  ...plain,
  ...parts,
  ...coded,
  ...casts,
  ...guesses,
  ...joins,
  ...groups,
  ...orders,
  ...moments,
  ...metadata,
  ...others
]
