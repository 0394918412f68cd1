// Runs JavaScript cells in node, as a REPL does: names may be declared again, and a cell may await.
'use strict';

(() => {
  const fs = require('fs');
  const inspector = require('inspector');
  const module_ = require('module');
  const net = require('net');
  const path = require('path');
  const readline = require('readline');
  const url = require('url');
  const util = require('util');
  const vm = require('vm');

  const [cells, events] = process.argv.slice(-2).map(Number);
  const {isNativeError} = util.types;

  // Code that the inspector runs can neither import statically nor by import(); both become calls of this function.
  const IMPORT = '__import';
  const load = (name) => {
    const relative = /^\.{0,2}\//.test(name);
    if (relative) return import(url.pathToFileURL(path.resolve(name)).href);
    if (module_.isBuiltin(name) || /^\w+:/.test(name)) return import(name);
    return import(url.pathToFileURL(createRequire().resolve(name)).href);
  };
  const createRequire = () => module_.createRequire(path.join(process.cwd(), 'cell.js'));
  Object.defineProperty(globalThis, IMPORT, {value: load});
  globalThis.require = createRequire();
  process.argv.length = 1;

  // Strings, templates and comments are passed over.
  const LITERALS = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\/.*|\/\*[^]*?\*\//;
  const STATIC = /(?<=^|[;\n])[ \t]*import\b\s*(?:([\w$\s{},*]+?)\s*\bfrom\s*)?("[^"\n]*"|'[^'\n]*')/;
  const IMPORTS = new RegExp(`${STATIC.source}|${LITERALS.source}|(?<![.\\w$])import(?=\\s*\\()`, 'g');

  function withoutImports(code) {
    return code.replace(IMPORTS, (text, names, name) => {
      if (text === 'import') return IMPORT;
      if (name === undefined) return text;
      if (names === undefined) return `await ${IMPORT}(${name})`;
      const [, first, rest] = /^\s*([\w$]*)\s*,?\s*([^]*)$/.exec(names);
      const parts = first ? [`{default: ${first}}`] : [];
      const namespace = /^\*\s*as\s+([\w$]+)\s*$/.exec(rest);
      if (namespace) parts.push(namespace[1]);
      else if (rest) parts.push(rest.replace(/\bas\b/g, ':'));
      return parts.map((part) => `var ${part} = await ${IMPORT}(${name})`).join('; ');
    });
  }

  function withoutTypes(code) {
    const {emitWarning} = process;
    process.emitWarning = () => {};  // Node warns that stripping types is experimental; a cell's author did not ask
    try {
      return module_.stripTypeScriptTypes(code);
    } finally {
      process.emitWarning = emitWarning;
    }
  }

  const session = new inspector.Session();
  session.connect();
  const post = (method, parameters) =>
    new Promise((resolve, reject) => {
      session.post(method, parameters, (error, answer) => (error ? reject(error) : resolve(answer)));
    });

  // What the inspector calls an object by, as the object.
  let taken;
  const take = (value) => (taken = value);
  Object.defineProperty(globalThis, '__take', {value: take});
  async function valueOf(remote) {
    const {objectId, value, unserializableValue} = remote;
    const functionDeclaration = 'function (value) { __take(value); }';
    const {result} = await post('Runtime.evaluate', {expression: 'globalThis', objectGroup: 'cell'});
    const argument = objectId ? {objectId} : unserializableValue ? {unserializableValue} : {value};
    await post('Runtime.callFunctionOn', {objectId: result.objectId, functionDeclaration, arguments: [argument]});
    const found = taken;
    taken = undefined;
    return found;
  }

  let interrupt = () => {};
  process.on('SIGINT', () => interrupt());
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error) => process.stderr.write(`Uncaught ${util.inspect(error)}\n`));
  }

  class Interrupted extends Error {
    name = 'Interrupted';
  }

  async function evaluate(code) {
    // An object literal alone is a block to the parser.
    const expression = /^\s*\{[^]*\}\s*$/.test(code) && parses(`(${code})`) ? `(${code})` : code;
    const parameters = {expression, replMode: true, awaitPromise: true, objectGroup: 'cell'};
    const interrupted = new Promise((_, reject) => {
      interrupt = () => reject(new Interrupted('the cell was interrupted'));
    });
    Object.defineProperty(globalThis, '__start', {value: () => post('Runtime.evaluate', parameters), configurable: true});
    try {
      const started = vm.runInThisContext('__start()', {breakOnSigint: true});
      return await Promise.race([started, interrupted]);
    } catch (error) {
      throw error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED' ? new Interrupted(error.message) : error;
    } finally {
      interrupt = () => {};
    }
  }

  function parses(code) {
    try {
      return Boolean(new vm.Script(code));
    } catch {
      return false;
    }
  }

  const send = (event) => fs.writeSync(events, `${JSON.stringify(event)}\n`);

  function sendError(error) {
    if (!isNativeError(error)) {
      send({event: 'error', name: 'Uncaught', value: util.inspect(error), traceback: ''});
      return;
    }
    // What called the cell is no part of it.
    const [traceback] = String(error.stack).split(/\n +at (?:Session\.post|new Script|node:inspector)/);
    send({event: 'error', name: String(error.name), value: String(error.message), traceback});
  }

  async function run({code, environment, types}) {
    const before = {...process.env};
    Object.assign(process.env, environment);
    try {
      const plain = withoutImports(types ? withoutTypes(code) : code);
      const {result, exceptionDetails} = await evaluate(plain);
      const value = await valueOf(exceptionDetails ? exceptionDetails.exception : result);
      if (exceptionDetails) sendError(value);
      else if (value !== undefined) {
        send({event: 'result', data: {'text/plain': util.inspect(value, {maxStringLength: Infinity})}, main: true});
      }
    } catch (error) {
      sendError(error);
    } finally {
      for (const name of Object.keys(environment)) {
        if (name in before) process.env[name] = before[name];
        else delete process.env[name];
      }
      await post('Runtime.releaseObjectGroup', {objectGroup: 'cell'});
      send({event: 'end'});
    }
  }

  readline.createInterface({input: new net.Socket({fd: cells})}).on('line', (line) => run(JSON.parse(line)));
})();
