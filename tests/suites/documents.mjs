/**
 * GraphQL requests for the comparison with graphql-js: a fixed list, and requests that are
 * generated from the schema. The generator has a fixed seed, so every run sends the same requests.
 */

import { getNamedType, isEnumType, isLeafType, isNonNullType } from 'graphql';

/**
 * @typedef {object} GraphqlRequest
 * @property {string} query
 * @property {Record<string, unknown>} [variables]
 * @property {string} [operationName]
 *
 * @typedef {import('graphql').GraphQLSchema} GraphQLSchema
 * @typedef {import('graphql').GraphQLObjectType} GraphQLObjectType
 * @typedef {import('graphql').GraphQLInputType} GraphQLInputType
 */

/** Valid and invalid string literals. */
const STRINGS = [
  '""',
  '"a"',
  '"\\n\\t\\b\\f\\r\\/\\\\\\""',
  '"\\u0041"',
  '"\\u{41}"',
  '"\\u{1F600}"',
  '"\\u{01F600}"',
  '"\\uD83D\\uDE00"',
  '"😀"',
  '"\\u{10FFFF}"',
  '"\\u{110000}"',
  '"\\u{}"',
  '"\\u{D800}"',
  '"\\uD83D"',
  '"\\uDE00\\uD83D"',
  '"\\uD83D\\u0041"',
  '"\\uD83D\\u{DE00}"',
  '"\\u00G0"',
  '"\\u041"',
  '"\\x"',
  '"\\\'"',
  '"a\nb"',
  '"a\tb"',
  '"\u007f"',
  '"\u2028"',
  '"\\u2028"',
  '"\u0000"',
  '"\u0007"',
  '"',
  '"a',
  '"""a"""',
  '""""""',
  '"""a"b""c"""',
  '"""\\""""""',
  '"""\\u{zz} \\x \\"""',
  '"""\n  a\n    b\n  """',
  '"""a\u0000b"""',
  '"""a\u0007b"""',
  '"""a',
  '"""\\"""',
  '"#"',
  '"{"',
  '"""#{["""',
];

/** Valid and invalid number literals. */
const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '10',
  '00',
  '01',
  '-01',
  '+1',
  '1.0',
  '1.5',
  '.5',
  '1.',
  '1e3',
  '1E+3',
  '1e-3',
  '1e',
  '1.0e1',
  '1a',
  '1_000',
  '0x1',
  '-',
  '2147483647',
  '2147483648',
  '9223372036854775807',
  '9223372036854775808',
  '99999999999999999999',
  '1e400',
  '1.e3',
  '0.0',
  '0e0',
  '1 2',
];

/** Valid and invalid names. */
const NAMES = [
  'a',
  '_',
  '__a',
  'A1_',
  'on',
  'query',
  'mutation',
  'subscription',
  'fragment',
  'type',
  'schema',
  'input',
  'true',
  'false',
  'null',
  'nullable',
  'trueish',
  'falsey',
  'é',
  '1a',
  'a-b',
];

/** Valid and invalid literals of other types. */
const VALUES = [
  'true',
  'false',
  'null',
  'API',
  'nullable',
  'trueish',
  '[]',
  '["a"]',
  '[null]',
  '{}',
  '{a: 1}',
  '{a: 1, a: 2}',
  '{a: "b", c: [1]}',
  '$a',
  '[$a]',
  '$',
];

/** Valid and invalid documents. */
const DOCUMENTS = [
  '',
  ' ',
  '#',
  '{',
  '}',
  '{}',
  '{ }',
  '{a}',
  '{__typename}',
  '\ufeff{__typename}',
  '{\ufeff__typename}',
  ',{,__typename,},',
  '{__typename}#',
  '{__typename}\r# a\r\n',
  '{#\n__typename}',
  '{__typename}{__typename}',
  'query{__typename}',
  'query A{__typename}',
  'query A{__typename} query A{__typename}',
  'query A{__typename}{__typename}',
  'queryA{__typename}',
  'query query{__typename}',
  'mutation{__typename}',
  'mutationA{__typename}',
  'subscription{__typename}',
  'subscription{a}',
  'Query{__typename}',
  'QUERY{__typename}',
  'query (){__typename}',
  'query A(){__typename}',
  '{me(){role}}',
  '{me{}}',
  '{me{role}}',
  '{me}',
  '{me{role{a}}}',
  '{me{role(){a}}}',
  '{__typename{a}}',
  '{__typename{__typename}}',
  '{__typename(a:1)}',
  '{__typename @skip(if: true)}',
  '{__typename @nothing}',
  '{__typename @skip}',
  '{a:__typename @include(if: 1)}',
  '{__typename @skip(if: true) @skip(if: true)}',
  'query($a:Boolean!){__typename @skip(if: $a)}',
  'query($a:Boolean!){__typename @skip(if: $b)}',
  'query($a:Boolean){__typename @skip(if: $a)}',
  'query($a:Boolean=true){__typename @skip(if: $a)}',
  'query($a:Boolean=null){__typename @skip(if: $a)}',
  '{a:__typename b:__typename}',
  '{a:b:__typename}',
  '{a: __typename, a: __typename}',
  '{a: me{role} a: __typename}',
  '{me{role} me{userName}}',
  '{me{role} me(callerOrigin:"API"){role}}',
  '{me(callerOrigin:"a"){role} me(callerOrigin:"""a"""){role}}',
  '{me(callerOrigin:null){role} me{role}}',
  '{me{a:role} ...on Query{me{a:userName}}}',
  '{me{role(entity:USER)} me{role(entity:ORGANIZATION)}}',
  '{me{role(entity:USER,identifier:"a") role(identifier:"a",entity:USER)}}',
  '{me me{role}}',
  '{me{role} me}',
  '{...a}',
  '{...a} fragment a on Query{__typename}',
  '{...a} fragment a on Me{__typename}',
  '{...a} fragment a on Nothing{__typename}',
  '{...a} fragment a on String{__typename}',
  '{...a} fragment a on Query{...a}',
  '{...a} fragment a on Query{...b} fragment b on Query{...a}',
  '{__typename} fragment a on Query{__typename}',
  '{...a} fragment a on Query{__typename} fragment a on Query{__typename}',
  '{...on} fragment on on Query{__typename}',
  '{...on Query{__typename}}',
  '{... on Query{__typename}}',
  '{...on\nQuery{__typename}}',
  '{...on#a\nQuery{__typename}}',
  '{...on,Query{__typename}}',
  '{...onQuery{__typename}}',
  '{...{__typename}}',
  '{... @skip(if:true){__typename}}',
  '{...on Me{role}}',
  '{...on Nothing{a}}',
  '{...on String{a}}',
  '{..a}',
  '{....a}',
  '{...a@skip(if:false)} fragment a on Query{__typename}',
  '{...a} fragment a on Query @skip(if:true){__typename}',
  '{...a} fragment a on Query @nothing{__typename}',
  'query @skip(if:true){__typename}',
  'query @nothing{__typename}',
  'query A @include(if:true) @include(if:true){__typename}',
  'fragment a on Query{__typename}',
  '{...a} fragment a{__typename}',
  '{...a} fragmenta on Query{__typename}',
  '{...a} fragment a onQuery{__typename}',
  '{...a} fragment a($b:Int) on Query{__typename}',
  '{...query} fragment query on Query{__typename}',
  '{...true} fragment true on Query{__typename}',
  '{...a} fragment a on\tQuery{__typename}',
  '{...a} fragment a on#x\n Query{__typename}',
  '{...a} fragment a on,Query{__typename}',
  '{...a} fragment#x\na on Query{__typename}',
  'query($a:Int){__typename}',
  'query($a:Int $a:Int){me(callerOrigin:$a){role}}',
  'query($a:String $a:String){me(callerOrigin:$a){role}}',
  'query($a:Nothing){me(callerOrigin:$a){role}}',
  'query($a:Me){me(callerOrigin:$a){role}}',
  'query($a:String){me(callerOrigin:$a){role}}',
  'query($a:String!){me(callerOrigin:$a){role}}',
  'query($a:Int){me(callerOrigin:$a){role}}',
  'query($a:[String]){me(callerOrigin:$a){role}}',
  'query($a:String="a"){me(callerOrigin:$a){role}}',
  'query($a:String=1){me(callerOrigin:$a){role}}',
  'query($a:String=null){me(callerOrigin:$a){role}}',
  'query($a:String!=null){me(callerOrigin:$a){role}}',
  'query($a:String!="a"){me(callerOrigin:$a){role}}',
  'query($a:String=$b $b:String){me(callerOrigin:$a){role}}',
  'query($a:String @skip(if:true)){me(callerOrigin:$a){role}}',
  'query($a:String="a" @skip(if:true)){me(callerOrigin:$a){role}}',
  'query($a:String @nothing="a"){me(callerOrigin:$a){role}}',
  'query($a:String="a" @nothing){me(callerOrigin:$a){role}}',
  'query($a String){me(callerOrigin:$a){role}}',
  'query($ a:String){me(callerOrigin:$ a){role}}',
  'query($a:String!!){me(callerOrigin:$a){role}}',
  'query($a: String !){me(callerOrigin:$a){role}}',
  'query($a:[String!]!){me{role}}',
  'query($a:[ String ! ] !){me{role}}',
  'query($a:String){...b} fragment b on Query{me(callerOrigin:$a){role}}',
  '{...b} fragment b on Query{me(callerOrigin:$a){role}}',
  'query A($a:String){...b} query B{...b} fragment b on Query{me(callerOrigin:$a){role}}',
  'query($a:Entity){me{role(entity:$a)}}',
  'query($a:Entity=USER){me{role(entity:$a)}}',
  'query($a:Entity="USER"){me{role(entity:$a)}}',
  '{me{role(entity:USER)}}',
  '{me{role(entity:"USER")}}',
  '{me{role(entity:user)}}',
  '{me{role(entity:NOTHING)}}',
  '{me{role(entity:[USER])}}',
  '{me{role(entity:null)}}',
  '{me{role(entity:USER,entity:USER)}}',
  '{me{role(nothing:1)}}',
  '{me{nothing}}',
  '{nothing}',
  '{Me{role}}',
  '{me{Role}}',
  '{me{role}a:me{role}}',
  'mutation{invalidateAccessToken{success}}',
  'mutation{invalidateAccessToken}',
  'mutation{updateAccessToken{success}}',
  'mutation{updateAccessToken(expirationTime:1){success}}',
  'query{invalidateAccessToken{success}}',
  'mutation{me{role}}',
  '{me{accessTokens(first:1){nodes{id}}}}',
  '{me{accessTokens(first:1.0){nodes{id}}}}',
  '{me{accessTokens(first:"1"){nodes{id}}}}',
  '{me{accessTokens(first:null){nodes{id}}}}',
  '{me{accessTokens{nodes{id}}}}',
  '{me{accessTokens(first:1,after:1){nodes{id}}}}',
  '{me{accessTokens(states:ACTIVE){nodes{id}}}}',
  '{me{accessTokens(states:[ACTIVE,EXPIRED]){nodes{id}}}}',
  '{me{accessTokens(states:[ACTIVE,null]){nodes{id}}}}',
  '{me{accessTokens(states:[]){nodes{id}}}}',
  '{me{accessTokens(states:null){nodes{id}}}}',
  '{me{accessTokens(states:[[ACTIVE]]){nodes{id}}}}',
  '{me{accessTokens(states:"ACTIVE"){nodes{id}}}}',
  'query($a:TokenState!){me{accessTokens(states:[$a]){nodes{id}}}}',
  'query($a:TokenState){me{accessTokens(states:[$a]){nodes{id}}}}',
  'query($a:[TokenState!]){me{accessTokens(states:$a){nodes{id}}}}',
  'query($a:[TokenState]){me{accessTokens(states:$a){nodes{id}}}}',
  'query($a:TokenState){me{accessTokens(states:$a){nodes{id}}}}',
  'query($a:Int){me{accessTokens(first:$a){nodes{id}}}}',
  'query($a:Int!){me{accessTokens(first:$a){nodes{id}}}}',
  'query($a:Int=1){me{accessTokens(first:$a){nodes{id}}}}',
  '"a" query{__typename}',
  '"a" query A{__typename}',
  '"""a""" query A{__typename}',
  '"a" {__typename}',
  '{...a} "b" fragment a on Query{__typename}',
  'query("a" $a:String){me(callerOrigin:$a){role}}',
  '"a" "b" query A{__typename}',
  'type A{a:Int}',
  '{__typename} type A{a:Int}',
  'schema{query:Query}',
  'extend type Query{a:Int}',
  'directive @a on FIELD',
  '{__schema{queryType{name}}}',
  '{__type(name:"Me"){name}}',
  '{__type{name}}',
  '{__type(name:1){name}}',
  '{__type(name:null){name}}',
  '{me{__schema{queryType{name}}}}',
  '{me{__typename}}',
  'mutation{__schema{queryType{name}}}',
  '{__typename @deprecated}',
  '{__typename @specifiedBy(url:"a")}',
  '{__typename @oneOf}',
  '{a @include(if:true)}',
  '{__typename@skip(if:false)@include(if:true)}',
  '{__typename@include(if:true)@skip(if:false)}',
  '{__typename @include(if:$a)}',
  '{__typename @include(if:"true")}',
  '{__typename @include(if:null)}',
  '{__typename @include(if:true,if:true)}',
  '{__typename @include(nothing:true)}',
  '{me{role @include(if:true)}}',
  '{me @include{role}}',
  '{__typename ! }',
  '{__typename & }',
  '{__typename | }',
  '{__typename = }',
  '{__typename ? }',
  '{__typename ; }',
  '{__typename @}',
  '{__typename . }',
  '{__typename}\u00a0',
  '{__typename}\u200b',
  '{__typename}\u0000',
  '{__typename}\u000b',
  '{__typename}\u2028',
  '{__typename #\u0000\n}',
  '{__typename #\u{1F600}\n}',
  '{é}',
  '{a:é}',
  '{me{organizations{name}}}',
  '{me{organizations}}',
  '{me{permissions}}',
  '{me{permissions{a}}}',
  '{me{permissions(entity:ORGANIZATION,identifier:"a")}}',
];

/** Values of variables. */
const VARIABLE_VALUES = [
  null,
  true,
  1,
  0,
  -1,
  1.5,
  2147483648,
  1e300,
  '',
  'a',
  '1',
  'USER',
  'ACTIVE',
  [],
  ['ACTIVE'],
  ['ACTIVE', null],
  [['ACTIVE']],
  {},
  { a: 1 },
];

/** Types of variables. */
const INPUT_TYPES = [
  'Int',
  'Int!',
  'String',
  'String!',
  'Boolean!',
  'Entity',
  'Entity!',
  '[TokenState!]',
  'TokenState!',
  'ID',
  'Float',
];
/** A selection that uses a variable of each type. */
const USES = {
  Int: '{me{accessTokens(first:$a){nodes{id}}}}',
  String: '{me(callerOrigin:$a){role}}',
  Boolean: '{me @skip(if:$a){role}}',
  Entity: '{me{role(entity:$a)}}',
  TokenState: '{me{accessTokens(states:$a){nodes{id}}}}',
  ID: '{me{role}}',
  Float: '{me{role}}',
};

/**
 * Returns the requests of the fixed list.
 *
 * @returns {GraphqlRequest[]}
 */
export function fixedRequests() {
  const queries = [
    ...DOCUMENTS,
    ...[...STRINGS, ...NUMBERS, ...VALUES].map((it) => `{me(callerOrigin:${it}){role}}`),
    ...NUMBERS.map((it) => `{me{accessTokens(first:${it}){nodes{id}}}}`),
    ...NUMBERS.map((it) => `mutation{updateAccessToken(expirationTime:${it}){success}}`),
    ...VALUES.map((it) => `{me{role(entity:${it})}}`),
    ...VALUES.map((it) => `query($a:Entity){me{role(entity:${it})}}`),
    ...STRINGS.map((it) => `query A($a:String=${it}){me(callerOrigin:$a){role}}`),
    ...NAMES.flatMap((it) => [
      `{${it}:__typename}`,
      `query ${it}{__typename}`,
      `{...${it}} fragment ${it} on Query{__typename}`,
      `query($${it}:String){me(callerOrigin:$${it}){role}}`,
      `{me{role(entity:${it})}}`,
      `{__typename @${it}}`,
    ]),
  ];
  const inputs = INPUT_TYPES.flatMap((type) => {
    const use = USES[/** @type {keyof typeof USES} */ (type.replace(/[[\]!]/g, ''))];
    const query = `query($a:${type})${use}`;
    return [{ query }, ...VARIABLE_VALUES.map((a) => ({ query, variables: { a } }))];
  });
  const operations = [
    'query A{__typename} query B{__typename}',
    'query A{__typename}',
    '{__typename}',
  ];
  const names = operations.flatMap((query) =>
    ['A', 'B', 'C', ''].map((operationName) => ({ query, operationName })),
  );
  return [...queries.map((query) => ({ query })), ...inputs, ...names];
}

/** A random number generator with a seed (mulberry32). */
class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = seed;
  }

  /** Returns a number that is at least 0 and less than 1. */
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * Returns true with the given probability.
   *
   * @param {number} probability
   */
  boolean(probability) {
    return this.next() < probability;
  }

  /**
   * Returns a random item.
   *
   * @template T
   * @param {readonly T[]} items
   * @returns {T}
   */
  choice(items) {
    return items[Math.floor(this.next() * items.length)];
  }

  /**
   * Returns an integer from 1 to `max`.
   *
   * @param {number} max
   */
  integer(max) {
    return 1 + Math.floor(this.next() * max);
  }
}

const SPACES = [' ', ' ', ' ', '\n', '\r\n', '\t', ',', ' , ', '#{"\n', '\ufeff'];

/** Generates a request. Half of the generators make mistakes. */
class Generator {
  /**
   * @param {GraphQLSchema} schema
   * @param {number} seed
   */
  constructor(schema, seed) {
    this.schema = schema;
    this.random = new Random(seed);
    /** @type {Map<string, string>} */
    this.variables = new Map();
    /** @type {string[]} */
    this.fragments = [];
    this.mistakeRate = this.random.boolean(0.5) ? 0 : 0.03;
  }

  /** Returns whether to make a mistake here. */
  makesMistake() {
    return this.random.boolean(this.mistakeRate);
  }

  /** @returns {GraphqlRequest} */
  request() {
    const type = this.random.boolean(0.25) ? 'mutation' : 'query';
    const root = /** @type {GraphQLObjectType} */ (
      type === 'query' ? this.schema.getQueryType() : this.schema.getMutationType()
    );
    const selectionSet = this.selections(root, 4);
    const directives = this.makesMistake() ? [...this.directives()] : [];
    const definitions = [...this.variables].flatMap(([name, type]) => [
      '$',
      name,
      ':',
      ...typeTokens(type),
      ...this.defaultValue(type),
    ]);
    const name = this.random.boolean(0.5)
      ? [this.random.choice(['A', 'on', 'query', 'fragment'])]
      : [];
    const isShorthand =
      type === 'query' && [name, definitions, directives].every((it) => it.length === 0);
    const variables = definitions.length > 0 ? ['(', ...definitions, ')'] : [];
    const head = isShorthand ? [] : [type, ...name, ...variables];
    const tokens = [...head, ...directives, ...selectionSet, ...this.fragments.flat()];
    return {
      query: this.join(this.makesMistake() ? this.corrupt(tokens) : tokens),
      variables: this.variableValues(),
    };
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   * @returns {string[]}
   */
  selections(type, levels) {
    const count = this.random.integer(4);
    return ['{', ...Array.from({ length: count }).flatMap(() => this.selection(type, levels)), '}'];
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   * @returns {string[]}
   */
  selection(type, levels) {
    if (levels > 0 && this.random.boolean(0.15))
      return [
        '...',
        ...this.typeCondition(type),
        ...this.directives(),
        ...this.selections(type, levels - 1),
      ];
    if (levels > 0 && this.random.boolean(0.15))
      return ['...', this.fragment(type, levels - 1), ...this.directives()];
    if (this.random.boolean(0.1)) return [...this.alias(), '__typename', ...this.directives()];
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((it) => isLeafType(getNamedType(it.type)));
    const field = this.random.choice(levels === 0 && leaves.length > 0 ? leaves : fields);
    const fieldType = getNamedType(field.type);
    const hasSelectionSet = isLeafType(fieldType) === this.makesMistake();
    const selectionSet = hasSelectionSet ? this.subselections(fieldType, levels) : [];
    return [
      ...this.alias(),
      this.makesMistake() ? 'nothing' : field.name,
      ...this.arguments(field.args),
      ...this.directives(),
      ...selectionSet,
    ];
  }

  /**
   * @param {import('graphql').GraphQLNamedType} type
   * @param {number} levels
   */
  subselections(type, levels) {
    if (isLeafType(type) || levels === 0) return ['{', '__typename', '}'];
    return this.selections(/** @type {GraphQLObjectType} */ (type), levels - 1);
  }

  alias() {
    return this.random.boolean(0.15)
      ? [this.random.choice(['a', 'b', 'on', 'role', 'null']), ':']
      : [];
  }

  /** @param {GraphQLObjectType} type */
  typeCondition(type) {
    if (this.makesMistake())
      return ['on', this.random.choice(['Query', 'Me', 'String', 'Nothing'])];
    return this.random.boolean(0.6) ? ['on', type.name] : [];
  }

  /**
   * @param {GraphQLObjectType} type
   * @param {number} levels
   */
  fragment(type, levels) {
    const name = `${this.random.choice(['f', 'on', 'query', 'true'])}${this.fragments.length}`;
    if (this.makesMistake()) return 'nothing';
    const at = this.fragments.push('') - 1;
    const definition = [
      'fragment',
      name,
      'on',
      this.makesMistake() ? 'Me' : type.name,
      ...this.selections(type, levels),
    ];
    this.fragments[at] = /** @type {any} */ (definition);
    return name;
  }

  /** @returns {string[]} */
  directives() {
    if (!this.random.boolean(0.12)) return [];
    const name = this.makesMistake() ? 'nothing' : this.random.choice(['skip', 'include']);
    const again = this.makesMistake() ? ['@', name, '(', 'if', ':', 'true', ')'] : [];
    return [
      '@',
      name,
      '(',
      this.makesMistake() ? 'nothing' : 'if',
      ':',
      ...this.value('Boolean!'),
      ')',
      ...again,
    ];
  }

  /** @param {readonly import('graphql').GraphQLArgument[]} args */
  arguments(args) {
    const used = args.filter((it) =>
      isNonNullType(it.type) && it.defaultValue === undefined
        ? !this.makesMistake()
        : this.random.boolean(0.4),
    );
    const tokens = used.flatMap((it) => [
      this.makesMistake() ? 'nothing' : it.name,
      ':',
      ...this.value(String(it.type)),
    ]);
    return tokens.length > 0 ? ['(', ...tokens, ')'] : [];
  }

  /**
   * @param {string} type
   * @returns {string[]}
   */
  value(type) {
    if (this.random.boolean(0.25)) return ['$', this.variable(type)];
    return this.literal(type);
  }

  /** @param {string} type */
  variable(type) {
    const declared = this.makesMistake()
      ? this.random.choice(INPUT_TYPES)
      : this.random.boolean(0.2) && !type.endsWith('!')
        ? `${type}!`
        : type;
    const known = [...this.variables].find(([, it]) => it === declared);
    if (known && this.random.boolean(0.7)) return known[0];
    const name = `v${this.variables.size}`;
    if (!this.makesMistake()) this.variables.set(name, declared);
    return name;
  }

  /**
   * @param {string} type
   * @returns {string[]}
   */
  literal(type) {
    if (this.makesMistake()) return [this.random.choice([...STRINGS, ...NUMBERS, ...VALUES])];
    if (!type.endsWith('!') && this.random.boolean(0.1)) return ['null'];
    const named = type.replace(/!$/, '');
    if (named.startsWith('[')) {
      const of = named.slice(1, -1);
      return this.random.boolean(0.2)
        ? this.literal(of.replace(/!?$/, '!'))
        : [
            '[',
            ...Array.from({ length: this.random.integer(3) - 1 }).flatMap(() => this.literal(of)),
            ']',
          ];
    }
    const enumeration = this.schema.getType(named);
    if (isEnumType(enumeration)) return [this.random.choice(enumeration.getValues()).name];
    if (named === 'Boolean') return [this.random.choice(['true', 'false'])];
    if (named === 'Int') return [this.random.choice(['0', '1', '7', '-1', '-0', '100'])];
    return [this.random.choice(STRINGS.slice(0, 9))];
  }

  /** @param {string} type */
  defaultValue(type) {
    return this.random.boolean(0.3) ? ['=', ...this.literal(type)] : [];
  }

  variableValues() {
    const used = [...this.variables].filter(([, type]) =>
      type.endsWith('!') ? !this.makesMistake() : this.random.boolean(0.6),
    );
    return Object.fromEntries(
      used.map(([name, type]) => [
        name,
        this.makesMistake() ? this.random.choice(VARIABLE_VALUES) : this.variableValue(type),
      ]),
    );
  }

  /**
   * @param {string} type
   * @returns {unknown}
   */
  variableValue(type) {
    if (!type.endsWith('!') && this.random.boolean(0.1)) return null;
    const named = type.replace(/!$/, '');
    if (named.startsWith('[')) return [this.variableValue(named.slice(1, -1))];
    const enumeration = this.schema.getType(named);
    if (isEnumType(enumeration)) return this.random.choice(enumeration.getValues()).name;
    return { Boolean: this.random.boolean(0.5), Int: 1, Float: 1.5 }[named] ?? 'Me';
  }

  /**
   * Removes, repeats, swaps or replaces a token.
   *
   * @param {string[]} tokens
   */
  corrupt(tokens) {
    const at = Math.floor(this.random.next() * tokens.length);
    const other = this.random.choice([
      ...tokens,
      '!',
      '&',
      '|',
      '=',
      '"a"',
      '1',
      '@',
      '$',
      '.',
      '"',
    ]);
    const changes = [[], [tokens[at], tokens[at]], [tokens[at + 1] ?? '', tokens[at]], [other]];
    return tokens.toSpliced(at, 1, ...this.random.choice(changes));
  }

  /**
   * Joins tokens with random white space.
   *
   * @param {string[]} tokens
   */
  join(tokens) {
    const isWord = /** @param {string | undefined} it */ (it) =>
      it !== undefined && /^[\w"-]/.test(it);
    return tokens
      .map((token, at) => {
        const isNeeded = at > 0 && isWord(token) && /[\w"]$/.test(tokens[at - 1]);
        return (isNeeded || this.random.boolean(0.3) ? this.random.choice(SPACES) : '') + token;
      })
      .join('');
  }
}

/** @param {string} type */
const typeTokens = (type) => type.match(/\w+|[[\]!]/g) ?? [];

/**
 * Generates random requests.
 *
 * @param {GraphQLSchema} schema
 * @param {number} count
 */
export function randomRequests(schema, count) {
  return Array.from({ length: count }, (_, seed) => new Generator(schema, seed).request());
}
