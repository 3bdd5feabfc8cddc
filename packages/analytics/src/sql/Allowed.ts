/**
 * What a query may be made of: kinds of nodes, and functions by name. Everything else is refused by name.
 *
 * Left out on purpose: what reads files or settings, what changes anything, what waits, and functions that make much out of
 * little (`repeat`, `lpad`, `printf`, `range` as a value). What is here may still be slow: limits end it.
 */

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

/** Queries, things that are read from, and what orders and cuts them. */
export const nodeTypes: ReadonlySet<string> = new Set(
  words(`SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE BASE_TABLE EMPTY EMPTY_FROM JOIN SUBQUERY
    TABLE_FUNCTION EXPRESSION_LIST PIVOT ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER
    ORDER_DEFAULT ASCENDING DESCENDING`)
)

export const expressionClasses: ReadonlySet<string> = new Set(
  words(`CONSTANT COLUMN_REF FUNCTION OPERATOR COMPARISON CONJUNCTION CAST CASE BETWEEN STAR SUBQUERY WINDOW LAMBDA
    LAMBDA_REF COLLATE POSITIONAL_REFERENCE`)
)

/** What `FROM f(…)` may name. */
export const tableFunctions: ReadonlySet<string> = new Set(words("unnest range generate_series"))

const operators = words(`!__postfix !~~ !~~* % & && * ** + - ->> / // <-> <=> <@ << >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~ xor
  like_escape ilike_escape not_like_escape not_ilike_escape`)

const numbers =
  words(`abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide
  even exp factorial floor fmod gamma gcd greatest greatest_common_divisor hash isfinite isinf isnan lcm least
  least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power radians random round round_even
  roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc fdiv nullif if ifnull coalesce`)

const texts = words(`array_extract ascii base64 bit_length char_length character_length chr concat concat_ws contains
  damerau_levenshtein decode editdist3 encode ends_with from_base64 from_hex hamming hex instr jaccard jaro_similarity
  jaro_winkler_similarity lcase left len length levenshtein lower ltrim md5 mismatches nfc_normalize octet_length ord position
  prefix regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
  regexp_split_to_array replace reverse right rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
  string_split string_split_regex string_to_array strip_accents strlen strpos substr substring suffix to_base64 to_hex
  translate trim ucase unhex unicode upper url_decode url_encode array_to_string`)

const times =
  words(`age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
  dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day
  make_date make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname nanosecond
  now quarter second strftime strptime time_bucket timezone to_centuries to_days to_decades to_hours to_microseconds
  to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today
  try_strptime week weekday weekofyear year yearweek ago current_date current_timestamp get_current_timestamp
  transaction_timestamp`)

const nested =
  words(`list_apply array_aggregate array_concat array_contains array_distinct array_has array_has_all array_has_any
  array_length array_position array_slice array_sort array_transform array_unique array_value cardinality element_at
  flatten generate_subscripts list_aggregate list_avg list_concat list_contains list_count list_distinct list_element
  list_extract list_filter list_first list_has list_has_all list_has_any list_indexof list_intersect list_last list_max
  list_median list_min list_pack list_position list_product list_reduce list_reverse list_reverse_sort list_slice list_sort
  list_sum list_transform list_unique list_value list_zip array_filter apply filter map map_contains map_entries map_extract
  map_extract_value map_from_entries map_keys map_values row struct_contains struct_extract struct_extract_at struct_insert
  struct_keys struct_pack struct_values unnest unpivot_list`)

const json = words(`json json_array json_array_length json_contains json_exists json_extract json_extract_path
  json_extract_path_text json_extract_string json_keys json_object json_quote json_type json_valid json_value to_json`)

const aggregates =
  words(`any_value approx_count_distinct approx_quantile arbitrary arg_max arg_max_null arg_min arg_min_null
  argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop
  covar_samp entropy favg first fsum geomean geometric_mean group_concat histogram kurtosis last list listagg mad max max_by
  mean median min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept
  regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan var_pop
  var_samp variance weighted_avg wavg`)

const windows = words(`cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank
  rank_dense row_number`)

const others = words("typeof pg_typeof uuid gen_random_uuid error try_cast grouping grouping_id constant_or_null")

export const functions: ReadonlySet<string> = new Set([
  ...operators,
  ...numbers,
  ...texts,
  ...times,
  ...nested,
  ...json,
  ...aggregates,
  ...windows,
  ...others
])

/** Functions and names whose value is another at the next run: such a query's answer is not kept by anybody. */
export const volatileNames: ReadonlySet<string> = new Set(
  words(`now today current_date current_time current_timestamp localtime localtimestamp get_current_timestamp
    transaction_timestamp ago age random uuid gen_random_uuid`)
)
