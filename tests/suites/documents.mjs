/**
 * The documents that graphql-js and we are asked about: hand-picked ones, and ones that are
 * made from the schema by chance. Chance is seeded, so that every run asks the same.
 */

import { getNamedType, isEnumType, isInputType, isLeafType, isListType, isNonNullType } from 'graphql';

/**
 * A document with what is sent beside it.
 *
 * @typedef {{ query: string, variables?: Record<string, unknown>, operationName?: string }} Sent
 * @typedef {import('graphql').GraphQLSchema} GraphQLSchema
 * @typedef {import('graphql').GraphQLObjectType} GraphQLObjectType
 * @typedef {import('graphql').GraphQLInputType} GraphQLInputType
 */

/** Texts of strings in GraphQL, good and bad. */
const STRINGS = [
  '""', '"a"', '"\\n\\t\\b\\f\\r\\/\\\\\\""', '"\\u0041"', '"\\u{41}"', '"\\u{1F600}"', '"\\u{01F600}"', '"\\uD83D\\uDE00"',
  '"😀"', '"\\u{10FFFF}"', '"\\u{110000}"', '"\\u{}"', '"\\u{D800}"', '"\\uD83D"', '"\\uDE00\\uD83D"', '"\\uD83D\\u0041"',
  '"\\uD83D\\u{DE00}"', '"\\u00G0"', '"\\u041"', '"\\x"', '"\\\'"', '"a\nb"', '"a\tb"', '"\u007f"', '"\u2028"', '"\\u2028"', '"\u0000"',
  '"\u0007"', '"', '"a', '"""a"""', '""""""', '"""a"b""c"""', '"""\\""""""', '"""\\u{zz} \\x \\"""', '"""\n  a\n    b\n  """',
  '"""a\u0000b"""', '"""a\u0007b"""', '"""a', '"""\\"""', '"#"', '"{"', '"""#{["""',
];

/** Texts of numbers in GraphQL, good and bad. */
const NUMBERS = [
  '0', '-0', '1', '-1', '10', '00', '01', '-01', '+1', '1.0', '1.5', '.5', '1.', '1e3', '1E+3', '1e-3', '1e', '1.0e1', '1a', '1_000', '0x1', '-',
  '2147483647', '2147483648', '9223372036854775807', '9223372036854775808', '99999999999999999999', '1e400', '1.e3', '0.0', '0e0', '1 2',
];

const NAMES = [
  'a', '_', '__a', 'A1_', 'on', 'query', 'mutation', 'subscription', 'fragment', 'type', 'schema', 'input', 'true', 'false', 'null', 'nullable',
  'trueish', 'falsey', 'é', '1a', 'a-b',
];

const VALUES = ['true', 'false', 'null', 'API', 'nullable', 'trueish', '[]', '["a"]', '[null]', '{}', '{a: 1}', '{a: 1, a: 2}', '{a: "b", c: [1]}', '$a', '[$a]', '$'];

/** Documents by themselves. */
const DOCUMENTS = [
  '', ' ', '#', '{', '}', '{}', '{ }', '{a}', '{__typename}', '\ufeff{__typename}', '{\ufeff__typename}', ',{,__typename,},', '{__typename}#', '{__typename}\r# a\r\n', '{#\n__typename}',
  '{__typename}{__typename}', 'query{__typename}', 'query A{__typename}', 'query A{__typename} query A{__typename}', 'query A{__typename}{__typename}',
  'queryA{__typename}', 'query query{__typename}', 'mutation{__typename}', 'mutationA{__typename}', 'subscription{__typename}', 'subscription{a}', 'Query{__typename}', 'QUERY{__typename}',
  'query (){__typename}', 'query A(){__typename}', '{me(){role}}', '{me{}}', '{me{role}}', '{me}', '{me{role{a}}}', '{me{role(){a}}}', '{__typename{a}}', '{__typename{__typename}}',
  '{__typename(a:1)}', '{__typename @skip(if: true)}', '{__typename @nothing}', '{__typename @skip}', '{a:__typename @include(if: 1)}', '{__typename @skip(if: true) @skip(if: true)}',
  'query($a:Boolean!){__typename @skip(if: $a)}', 'query($a:Boolean!){__typename @skip(if: $b)}', 'query($a:Boolean){__typename @skip(if: $a)}', 'query($a:Boolean=true){__typename @skip(if: $a)}', 'query($a:Boolean=null){__typename @skip(if: $a)}',
  '{a:__typename b:__typename}', '{a:b:__typename}', '{a: __typename, a: __typename}', '{a: me{role} a: __typename}', '{me{role} me{userName}}', '{me{role} me(callerOrigin:"API"){role}}', '{me(callerOrigin:"a"){role} me(callerOrigin:"""a"""){role}}',
  '{me(callerOrigin:null){role} me{role}}', '{me{a:role} ...on Query{me{a:userName}}}', '{me{role(entity:USER)} me{role(entity:ORGANIZATION)}}', '{me{role(entity:USER,identifier:"a") role(identifier:"a",entity:USER)}}',
  '{me me{role}}', '{me{role} me}', '{...a}', '{...a} fragment a on Query{__typename}', '{...a} fragment a on Me{__typename}', '{...a} fragment a on Nothing{__typename}', '{...a} fragment a on String{__typename}', '{...a} fragment a on Query{...a}',
  '{...a} fragment a on Query{...b} fragment b on Query{...a}', '{__typename} fragment a on Query{__typename}', '{...a} fragment a on Query{__typename} fragment a on Query{__typename}', '{...on} fragment on on Query{__typename}', '{...on Query{__typename}}', '{... on Query{__typename}}',
  '{...on\nQuery{__typename}}', '{...on#a\nQuery{__typename}}', '{...on,Query{__typename}}', '{...onQuery{__typename}}', '{...{__typename}}', '{... @skip(if:true){__typename}}', '{...on Me{role}}', '{...on Nothing{a}}', '{...on String{a}}', '{..a}', '{....a}',
  '{...a@skip(if:false)} fragment a on Query{__typename}', '{...a} fragment a on Query @skip(if:true){__typename}', '{...a} fragment a on Query @nothing{__typename}', 'query @skip(if:true){__typename}', 'query @nothing{__typename}', 'query A @include(if:true) @include(if:true){__typename}',
  'fragment a on Query{__typename}', '{...a} fragment a{__typename}', '{...a} fragmenta on Query{__typename}', '{...a} fragment a onQuery{__typename}', '{...a} fragment a($b:Int) on Query{__typename}', '{...query} fragment query on Query{__typename}', '{...true} fragment true on Query{__typename}',
  '{...a} fragment a on\tQuery{__typename}', '{...a} fragment a on#x\n Query{__typename}', '{...a} fragment a on,Query{__typename}', '{...a} fragment#x\na on Query{__typename}',
  'query($a:Int){__typename}', 'query($a:Int $a:Int){me(callerOrigin:$a){role}}', 'query($a:String $a:String){me(callerOrigin:$a){role}}', 'query($a:Nothing){me(callerOrigin:$a){role}}', 'query($a:Me){me(callerOrigin:$a){role}}', 'query($a:String){me(callerOrigin:$a){role}}',
  'query($a:String!){me(callerOrigin:$a){role}}', 'query($a:Int){me(callerOrigin:$a){role}}', 'query($a:[String]){me(callerOrigin:$a){role}}', 'query($a:String="a"){me(callerOrigin:$a){role}}', 'query($a:String=1){me(callerOrigin:$a){role}}', 'query($a:String=null){me(callerOrigin:$a){role}}',
  'query($a:String!=null){me(callerOrigin:$a){role}}', 'query($a:String!="a"){me(callerOrigin:$a){role}}', 'query($a:String=$b $b:String){me(callerOrigin:$a){role}}', 'query($a:String @skip(if:true)){me(callerOrigin:$a){role}}', 'query($a:String="a" @skip(if:true)){me(callerOrigin:$a){role}}', 'query($a:String @nothing="a"){me(callerOrigin:$a){role}}',
  'query($a:String="a" @nothing){me(callerOrigin:$a){role}}', 'query($a String){me(callerOrigin:$a){role}}', 'query($ a:String){me(callerOrigin:$ a){role}}', 'query($a:String!!){me(callerOrigin:$a){role}}', 'query($a: String !){me(callerOrigin:$a){role}}', 'query($a:[String!]!){me{role}}',
  'query($a:[ String ! ] !){me{role}}', 'query($a:String){...b} fragment b on Query{me(callerOrigin:$a){role}}', '{...b} fragment b on Query{me(callerOrigin:$a){role}}', 'query A($a:String){...b} query B{...b} fragment b on Query{me(callerOrigin:$a){role}}',
  'query($a:Entity){me{role(entity:$a)}}', 'query($a:Entity=USER){me{role(entity:$a)}}', 'query($a:Entity="USER"){me{role(entity:$a)}}', '{me{role(entity:USER)}}', '{me{role(entity:"USER")}}', '{me{role(entity:user)}}', '{me{role(entity:NOTHING)}}', '{me{role(entity:[USER])}}', '{me{role(entity:null)}}', '{me{role(entity:USER,entity:USER)}}',
  '{me{role(nothing:1)}}', '{me{nothing}}', '{nothing}', '{Me{role}}', '{me{Role}}', '{me{role}a:me{role}}', 'mutation{invalidateAccessToken{success}}', 'mutation{invalidateAccessToken}', 'mutation{updateAccessToken{success}}', 'mutation{updateAccessToken(expirationTime:1){success}}',
  'query{invalidateAccessToken{success}}', 'mutation{me{role}}', '{me{accessTokens(first:1){nodes{id}}}}', '{me{accessTokens(first:1.0){nodes{id}}}}', '{me{accessTokens(first:"1"){nodes{id}}}}', '{me{accessTokens(first:null){nodes{id}}}}', '{me{accessTokens{nodes{id}}}}', '{me{accessTokens(first:1,after:1){nodes{id}}}}', '{me{accessTokens(states:ACTIVE){nodes{id}}}}',
  '{me{accessTokens(states:[ACTIVE,EXPIRED]){nodes{id}}}}', '{me{accessTokens(states:[ACTIVE,null]){nodes{id}}}}', '{me{accessTokens(states:[]){nodes{id}}}}', '{me{accessTokens(states:null){nodes{id}}}}', '{me{accessTokens(states:[[ACTIVE]]){nodes{id}}}}', '{me{accessTokens(states:"ACTIVE"){nodes{id}}}}', 'query($a:TokenState!){me{accessTokens(states:[$a]){nodes{id}}}}',
  'query($a:TokenState){me{accessTokens(states:[$a]){nodes{id}}}}', 'query($a:[TokenState!]){me{accessTokens(states:$a){nodes{id}}}}', 'query($a:[TokenState]){me{accessTokens(states:$a){nodes{id}}}}', 'query($a:TokenState){me{accessTokens(states:$a){nodes{id}}}}', 'query($a:Int){me{accessTokens(first:$a){nodes{id}}}}', 'query($a:Int!){me{accessTokens(first:$a){nodes{id}}}}', 'query($a:Int=1){me{accessTokens(first:$a){nodes{id}}}}',
  '"a" query{__typename}', '"a" query A{__typename}', '"""a""" query A{__typename}', '"a" {__typename}', '{...a} "b" fragment a on Query{__typename}', 'query("a" $a:String){me(callerOrigin:$a){role}}', '"a" "b" query A{__typename}', 'type A{a:Int}', '{__typename} type A{a:Int}', 'schema{query:Query}', 'extend type Query{a:Int}', 'directive @a on FIELD',
  '{__schema{queryType{name}}}', '{__type(name:"Me"){name}}', '{__type{name}}', '{__type(name:1){name}}', '{__type(name:null){name}}', '{me{__schema{queryType{name}}}}', '{me{__typename}}', 'mutation{__schema{queryType{name}}}', '{__typename @deprecated}', '{__typename @specifiedBy(url:"a")}', '{__typename @oneOf}', '{a @include(if:true)}',
  '{__typename@skip(if:false)@include(if:true)}', '{__typename@include(if:true)@skip(if:false)}', '{__typename @include(if:$a)}', '{__typename @include(if:"true")}', '{__typename @include(if:null)}', '{__typename @include(if:true,if:true)}', '{__typename @include(nothing:true)}', '{me{role @include(if:true)}}', '{me @include{role}}', '{__typename ! }', '{__typename & }', '{__typename | }', '{__typename = }', '{__typename ? }', '{__typename ; }', '{__typename @}', '{__typename . }',
  '{__typename}\u00a0', '{__typename}\u200b', '{__typename}\u0000', '{__typename}\u000b', '{__typename}\u2028', '{__typename #\u0000\n}', '{__typename #\u{1F600}\n}', '{é}', '{a:é}', '{me{organizations{name}}}', '{me{organizations}}', '{me{permissions}}', '{me{permissions{a}}}', '{me{permissions(entity:ORGANIZATION,identifier:"a")}}',
];

/** What is sent for variables of each type, good and bad. */
const INPUTS = [
  null, true, 1, 0, -1, 1.5, 2147483648, 1e300, '', 'a', '1', 'USER', 'ACTIVE', [], ['ACTIVE'], ['ACTIVE', null], [['ACTIVE']], {}, { a: 1 },
];

const INPUT_TYPES = ['Int', 'Int!', 'String', 'String!', 'Boolean!', 'Entity', 'Entity!', '[TokenState!]', 'TokenState!', 'ID', 'Float'];
const USES = {
  Int: '{me{accessTokens(first:$a){nodes{id}}}}', String: '{me(callerOrigin:$a){role}}', Boolean: '{me @skip(if:$a){role}}', Entity: '{me{role(entity:$a)}}',
  TokenState: '{me{accessTokens(states:$a){nodes{id}}}}', ID: '{me{role}}', Float: '{me{role}}',
};

/** @returns {Sent[]} */
export function handPicked() {
  const queries = [
    ...DOCUMENTS,
    ...[...STRINGS, ...NUMBERS, ...VALUES].map((it) => `{me(callerOrigin:${it}){role}}`),
    ...NUMBERS.map((it) => `{me{accessTokens(first:${it}){nodes{id}}}}`),
    ...NUMBERS.map((it) => `mutation{updateAccessToken(expirationTime:${it}){success}}`),
    ...VALUES.map((it) => `{me{role(entity:${it})}}`),
    ...VALUES.map((it) => `query($a:Entity){me{role(entity:${it})}}`),
    ...STRINGS.map((it) => `query A($a:String=${it}){me(callerOrigin:$a){role}}`),
    ...NAMES.flatMap((it) => [`{${it}:__typename}`, `query ${it}{__typename}`, `{...${it}} fragment ${it} on Query{__typename}`, `query($${it}:String){me(callerOrigin:$${it}){role}}`, `{me{role(entity:${it})}}`, `{__typename @${it}}`]),
  ];
  const inputs = INPUT_TYPES.flatMap((type) => {
    const use = USES[/** @type {keyof typeof USES} */ (type.replace(/[[\]!]/g, ''))];
    const query = `query($a:${type})${use}`;
    return [{ query }, ...INPUTS.map((a) => ({ query, variables: { a } }))];
  });
  const operations = ['query A{__typename} query B{__typename}', 'query A{__typename}', '{__typename}'];
  const names = operations.flatMap((query) => ['A', 'B', 'C', ''].map((operationName) => ({ query, operationName })));
  return [...queries.map((query) => ({ query })), ...inputs, ...names];
}

/** Chance that is the same on every run (mulberry32). */
class Chance {
  /** @param {number} seed */
  constructor(seed) {
    this.state = seed;
  }

  /** A number from 0 to 1, which it is not. */
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} probability */
  is(probability) {
    return this.next() < probability;
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @returns {T}
   */
  one(items) {
    return items[Math.floor(this.next() * items.length)];
  }

  /** @param {number} most */
  upTo(most) {
    return 1 + Math.floor(this.next() * most);
  }
}

const SPACES = [' ', ' ', ' ', '\n', '\r\n', '\t', ',', ' , ', '#{"\n', '\ufeff'];

/** Writes a document, token by token. */
class Writer {
  /**
   * @param {GraphQLSchema} schema
   * @param {number} seed
   */
  constructor(schema, seed) {
    this.schema = schema;
    this.chance = new Chance(seed);
    /** @type {Map<string, string>} */
    this.variables = new Map();
    /** @type {string[]} */
    this.fragments = [];
    this.mistakes = this.chance.is(0.5) ? 0 : 0.03;
  }

  /** Whether to make a mistake here. */
  errs() {
    return this.chance.is(this.mistakes);
  }

  /** @returns {Sent} */
  document() {
    const type = this.chance.is(0.25) ? 'mutation' : 'query';
    const root = /** @type {GraphQLObjectType} */ (type === 'query' ? this.schema.getQueryType() : this.schema.getMutationType());
    const set = this.selections(root, 4);
    const directives = this.errs() ? [...this.directives()] : [];
    const definitions = [...this.variables].flatMap(([name, type]) => ['$', name, ':', ...typeTokens(type), ...this.defaultValue(type)]);
    const name = this.chance.is(0.5) ? [this.chance.one(['A', 'on', 'query', 'fragment'])] : [];
    const head = definitions.length > 0 ? [type, ...name, '(', ...definitions, ')'] : name.length > 0 || type === 'mutation' || directives.length > 0 ? [type, ...name] : [];
    const tokens = [...head, ...directives, ...set, ...this.fragments.flat()];
    return { query: this.spaced(this.errs() ? this.broken(tokens) : tokens), variables: this.inputs() };
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   * @returns {string[]}
   */
  selections(type, levels) {
    const count = this.chance.upTo(4);
    return ['{', ...Array.from({ length: count }).flatMap(() => this.selection(type, levels)), '}'];
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   * @returns {string[]}
   */
  selection(type, levels) {
    if (levels > 0 && this.chance.is(0.15)) return ['...', ...this.condition(type), ...this.directives(), ...this.selections(type, levels - 1)];
    if (levels > 0 && this.chance.is(0.15)) return ['...', this.fragment(type, levels - 1), ...this.directives()];
    if (this.chance.is(0.1)) return [...this.alias(), '__typename', ...this.directives()];
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((it) => isLeafType(getNamedType(it.type)));
    const field = this.chance.one(levels === 0 && leaves.length > 0 ? leaves : fields);
    const within = getNamedType(field.type);
    const hasSet = isLeafType(within) === this.errs();
    const set = !hasSet ? [] : isLeafType(within) ? ['{', '__typename', '}'] : levels > 0 ? this.selections(/** @type {GraphQLObjectType} */ (within), levels - 1) : ['{', '__typename', '}'];
    return [...this.alias(), this.errs() ? 'nothing' : field.name, ...this.arguments(field.args), ...this.directives(), ...set];
  }

  alias() {
    return this.chance.is(0.15) ? [this.chance.one(['a', 'b', 'on', 'role', 'null']), ':'] : [];
  }

  /** @param {GraphQLObjectType} type */
  condition(type) {
    if (this.errs()) return ['on', this.chance.one(['Query', 'Me', 'String', 'Nothing'])];
    return this.chance.is(0.6) ? ['on', type.name] : [];
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   */
  fragment(type, levels) {
    const name = `${this.chance.one(['f', 'on', 'query', 'true'])}${this.fragments.length}`;
    if (this.errs()) return 'nothing';
    const at = this.fragments.push('') - 1;
    const definition = ['fragment', name, 'on', this.errs() ? 'Me' : type.name, ...this.selections(type, levels)];
    this.fragments[at] = /** @type {any} */ (definition);
    return name;
  }

  /** @returns {string[]} */
  directives() {
    if (!this.chance.is(0.12)) return [];
    const name = this.errs() ? 'nothing' : this.chance.one(['skip', 'include']);
    const again = this.errs() ? ['@', name, '(', 'if', ':', 'true', ')'] : [];
    return ['@', name, '(', this.errs() ? 'nothing' : 'if', ':', ...this.value('Boolean!'), ')', ...again];
  }

  /** @param {readonly import('graphql').GraphQLArgument[]} args */
  arguments(args) {
    const given = args.filter((it) => (isNonNullType(it.type) && it.defaultValue === undefined ? !this.errs() : this.chance.is(0.4)));
    const tokens = given.flatMap((it) => [this.errs() ? 'nothing' : it.name, ':', ...this.value(String(it.type))]);
    return tokens.length > 0 ? ['(', ...tokens, ')'] : [];
  }

  /**
   * @param {string} type
   * @returns {string[]}
   */
  value(type) {
    if (this.chance.is(0.25)) return ['$', this.variable(type)];
    return this.literal(type);
  }

  /** @param {string} type */
  variable(type) {
    const declared = this.errs() ? this.chance.one(INPUT_TYPES) : this.chance.is(0.2) && !type.endsWith('!') ? `${type}!` : type;
    const known = [...this.variables].find(([, it]) => it === declared);
    if (known && this.chance.is(0.7)) return known[0];
    const name = `v${this.variables.size}`;
    if (!this.errs()) this.variables.set(name, declared);
    return name;
  }

  /**
   * @param {string} type
   * @returns {string[]}
   */
  literal(type) {
    if (this.errs()) return [this.chance.one([...STRINGS, ...NUMBERS, ...VALUES])];
    if (!type.endsWith('!') && this.chance.is(0.1)) return ['null'];
    const named = type.replace(/!$/, '');
    if (named.startsWith('[')) {
      const of = named.slice(1, -1);
      return this.chance.is(0.2) ? this.literal(of.replace(/!?$/, '!')) : ['[', ...Array.from({ length: this.chance.upTo(3) - 1 }).flatMap(() => this.literal(of)), ']'];
    }
    const enumeration = this.schema.getType(named);
    if (isEnumType(enumeration)) return [this.chance.one(enumeration.getValues()).name];
    if (named === 'Boolean') return [this.chance.one(['true', 'false'])];
    if (named === 'Int') return [this.chance.one(['0', '1', '7', '-1', '-0', '100'])];
    return [this.chance.one(STRINGS.slice(0, 9))];
  }

  /** @param {string} type */
  defaultValue(type) {
    return this.chance.is(0.3) ? ['=', ...this.literal(type)] : [];
  }

  inputs() {
    const given = [...this.variables].filter(([, type]) => (type.endsWith('!') ? !this.errs() : this.chance.is(0.6)));
    return Object.fromEntries(given.map(([name, type]) => [name, this.errs() ? this.chance.one(INPUTS) : this.input(type)]));
  }

  /**
   * @param {string} type
   * @returns {unknown}
   */
  input(type) {
    if (!type.endsWith('!') && this.chance.is(0.1)) return null;
    const named = type.replace(/!$/, '');
    if (named.startsWith('[')) return [this.input(named.slice(1, -1))];
    const enumeration = this.schema.getType(named);
    if (isEnumType(enumeration)) return this.chance.one(enumeration.getValues()).name;
    return { Boolean: this.chance.is(0.5), Int: 1, Float: 1.5 }[named] ?? 'Me';
  }

  /**
   * Drops, doubles, swaps or replaces a token.
   *
   * @param {string[]} tokens
   */
  broken(tokens) {
    const at = Math.floor(this.chance.next() * tokens.length);
    const other = this.chance.one([...tokens, '!', '&', '|', '=', '"a"', '1', '@', '$', '.', '"']);
    const changes = [[], [tokens[at], tokens[at]], [tokens[at + 1] ?? '', tokens[at]], [other]];
    return tokens.toSpliced(at, 1, ...this.chance.one(changes));
  }

  /** @param {string[]} tokens */
  spaced(tokens) {
    const isWord = /** @param {string | undefined} it */ (it) => it !== undefined && /^[\w"-]/.test(it);
    return tokens.map((token, at) => {
      const isNeeded = at > 0 && isWord(token) && /[\w"]$/.test(tokens[at - 1]);
      return (isNeeded || this.chance.is(0.3) ? this.chance.one(SPACES) : '') + token;
    }).join('');
  }
}

/** @param {string} type */
const typeTokens = (type) => type.match(/\w+|[[\]!]/g) ?? [];

/**
 * @param {GraphQLSchema} schema
 * @param {number} count
 */
export function byChance(schema, count) {
  return Array.from({ length: count }, (_, seed) => new Writer(schema, seed).document());
}
