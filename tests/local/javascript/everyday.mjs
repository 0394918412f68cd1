// The JavaScript SDK in its everyday use, against the server that the environment names: a test for each group of calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FileType, Sandbox, Secret, Template, Volume } from '@e2b/code-interpreter'

const text = new TextDecoder()
const bytes = new TextEncoder()

async function withSandbox(use, options) {
  const sandbox = await Sandbox.create(options)
  try {
    await use(sandbox)
  } finally {
    await sandbox.kill()
  }
}

async function until(condition) {
  const end = Date.now() + 15_000
  while (!(await condition())) {
    assert.ok(Date.now() < end, 'it did not come true')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a sandbox from create to kill', async () => {
  const sandbox = await Sandbox.create({ metadata: { who: 'b & ä=%' }, envs: { GREETING: 'hello' }, timeoutMs: 100_000 })
  assert.match(sandbox.sandboxId, /^i[a-z0-9]{20}$/)
  assert.equal(await sandbox.isRunning(), true)
  assert.equal((await sandbox.commands.run('echo $GREETING')).stdout, 'hello\n')
  await sandbox.setTimeout(200_000)
  const info = await sandbox.getInfo()
  assert.equal(info.state, 'running')
  assert.deepEqual(info.metadata, { who: 'b & ä=%' })
  assert.ok(info.endAt - info.startedAt > 150_000)
  assert.equal((await Sandbox.getFullInfo(sandbox.sandboxId)).sandboxId, sandbox.sandboxId)
  const again = await Sandbox.connect(sandbox.sandboxId)
  assert.equal(again.sandboxId, sandbox.sandboxId)
  assert.equal(await sandbox.kill(), true)
  assert.equal(await sandbox.kill(), false)
  assert.equal(await sandbox.isRunning(), false)
  await assert.rejects(sandbox.getInfo(), { name: 'SandboxNotFoundError' })
  await assert.rejects(Sandbox.connect('i00000000000000000000'), { name: 'SandboxNotFoundError' })
})

test('a list of sandboxes, page by page', async () => {
  const metadata = { test: 'javascript & pages' }
  const made = []
  try {
    for (let number = 0; number < 3; number++) made.push(await Sandbox.create({ metadata }))
    const pages = Sandbox.list({ query: { metadata }, limit: 2 })
    const found = await pages.nextItems()
    assert.equal(pages.hasNext, true)
    found.push(...(await pages.nextItems()))
    assert.equal(pages.hasNext, false)
    assert.deepEqual(found.map((info) => info.sandboxId), made.map((sandbox) => sandbox.sandboxId).reverse())
  } finally {
    await Promise.all(made.map((sandbox) => sandbox.kill()))
  }
})

test('pause and resume', () =>
  withSandbox(async (sandbox) => {
    await sandbox.runCode("x = 'kept'")
    assert.equal(await sandbox.pause(), true)
    assert.equal(await sandbox.isRunning(), false)
    await sandbox.connect()
    assert.equal(await sandbox.isRunning(), true)
    assert.equal((await sandbox.runCode('x')).text, 'kept')
  }))

test('metrics', () =>
  withSandbox(async (sandbox) => {
    const [metrics] = await sandbox.getMetrics()
    assert.ok(metrics.cpuCount > 0)
    assert.ok(metrics.memUsed > 0 && metrics.memUsed < metrics.memTotal)
  }))

test('snapshots', () =>
  withSandbox(async (sandbox) => {
    await sandbox.files.write('note', 'before')
    const { snapshotId } = await sandbox.createSnapshot()
    await sandbox.files.write('note', 'after')
    const listed = await sandbox.listSnapshots().nextItems()
    assert.deepEqual(listed.map((snapshot) => snapshot.snapshotId), [snapshotId])
    const copy = await Sandbox.create(snapshotId)
    assert.equal(await copy.files.read('note'), 'before')
    await copy.kill()
    assert.equal(await Sandbox.deleteSnapshot(snapshotId), true)
    assert.equal(await Sandbox.deleteSnapshot(snapshotId), false)
  }))

test('forks', () =>
  withSandbox(async (sandbox) => {
    await sandbox.files.write('note', 'before')
    const forks = await sandbox.fork({ count: 2 })
    assert.equal(new Set([sandbox, ...forks].map((one) => one.sandboxId)).size, 3)
    for (const fork of forks) {
      assert.equal(await fork.files.read('note'), 'before')
      await fork.kill()
    }
  }))

test('code with output, results and errors', () =>
  withSandbox(async (sandbox) => {
    const heard = []
    const execution = await sandbox.runCode(
      "import os, sys\nprint('hi')\nprint('no', file=sys.stderr)\ndisplay({'a': 1})\nos.environ['RUN']",
      {
        envs: { RUN: 'this one' },
        onStdout: (message) => heard.push(['stdout', message.line]),
        onStderr: (message) => heard.push(['stderr', message.line]),
        onResult: (result) => heard.push(['result', result.isMainResult]),
      },
    )
    assert.equal(execution.text, 'this one')
    assert.deepEqual(execution.logs, { stdout: ['hi\n'], stderr: ['no\n'] })
    assert.deepEqual(execution.results[0].json, { a: 1 })
    assert.equal(execution.executionCount, 1)
    assert.equal(heard.length, 4)
    const failed = await sandbox.runCode('1/0')
    assert.deepEqual([failed.error.name, failed.error.value], ['ZeroDivisionError', 'division by zero'])
    assert.match(failed.error.traceback, /1\/0/)
  }))

test('contexts', () =>
  withSandbox(async (sandbox) => {
    const context = await sandbox.createCodeContext({ cwd: '/tmp' })
    await sandbox.runCode('import os; x = os.getcwd()', { context })
    assert.equal((await sandbox.runCode('x', { context })).text, '/tmp')
    assert.equal((await sandbox.runCode('x')).error.name, 'NameError')
    assert.ok((await sandbox.listCodeContexts()).some((listed) => listed.id === context.id))
    await sandbox.restartCodeContext(context)
    assert.equal((await sandbox.runCode('x', { context })).error.name, 'NameError')
    await sandbox.removeCodeContext(context)
    await assert.rejects(sandbox.runCode('1', { context }), { name: 'NotFoundError' })
  }))

test('a timeout interrupts the code', () =>
  withSandbox(async (sandbox) => {
    await sandbox.runCode("x = 'kept'")
    await assert.rejects(sandbox.runCode('while True: pass', { timeoutMs: 500 }), { name: 'TimeoutError' })
    assert.equal((await sandbox.runCode('x')).text, 'kept')
  }))

test('commands', () =>
  withSandbox(async (sandbox) => {
    const result = await sandbox.commands.run('echo $X; pwd; echo no >&2', { cwd: '/tmp', envs: { X: 'y' } })
    assert.deepEqual([result.stdout, result.stderr, result.exitCode], ['y\n/tmp\n', 'no\n', 0])
    await assert.rejects(sandbox.commands.run('echo out; exit 3'), { name: 'CommandExitError', exitCode: 3, stdout: 'out\n' })
  }))

test('commands in the background', () =>
  withSandbox(async (sandbox) => {
    const command = await sandbox.commands.run('cat', { background: true, stdin: true })
    assert.deepEqual((await sandbox.commands.list()).map((process) => process.pid), [command.pid])
    const heard = []
    const other = await sandbox.commands.connect(command.pid, { onStdout: (data) => heard.push(data) })
    await sandbox.commands.sendStdin(command.pid, 'in')
    await sandbox.commands.closeStdin(command.pid)
    assert.equal((await command.wait()).stdout, 'in')
    await other.wait()
    assert.deepEqual(heard, ['in'])
    const sleeping = await sandbox.commands.run('sleep 1000', { background: true })
    assert.equal(await sleeping.kill(), true)
    assert.equal(await sandbox.commands.kill(sleeping.pid), false)
    const left = await sandbox.commands.run('sleep 1000', { background: true })
    await left.disconnect()
    assert.equal(await sandbox.commands.kill(left.pid), true)
  }))

test('a terminal', () =>
  withSandbox(async (sandbox) => {
    let output = ''
    const onData = (data) => (output += text.decode(data))
    const terminal = await sandbox.pty.create({ cols: 80, rows: 24, onData })
    await sandbox.pty.resize(terminal.pid, { cols: 100, rows: 30 })
    await sandbox.pty.sendInput(terminal.pid, bytes.encode('stty size; exit\n'))
    await terminal.wait()
    assert.match(output, /30 100/)
    const other = await sandbox.pty.create({ cols: 80, rows: 24, onData })
    const same = await sandbox.pty.connect(other.pid, { onData })
    assert.equal(same.pid, other.pid)
    assert.equal(await sandbox.pty.kill(other.pid), true)
  }))

test('files in and out', () =>
  withSandbox(async (sandbox) => {
    const written = await sandbox.files.write('a/b ä.txt', 'text')
    assert.deepEqual([written.name, written.path, written.type], ['b ä.txt', '/home/user/a/b ä.txt', FileType.FILE])
    assert.equal(await sandbox.files.read('a/b ä.txt'), 'text')
    assert.equal(text.decode(await sandbox.files.read('a/b ä.txt', { format: 'bytes' })), 'text')
    assert.equal(await (await sandbox.files.read('a/b ä.txt', { format: 'blob' })).text(), 'text')
    const stream = await sandbox.files.read('a/b ä.txt', { format: 'stream' })
    assert.equal(await new Response(stream).text(), 'text')
    await sandbox.files.writeFiles([
      { path: '/tmp/one', data: '1' },
      { path: '/tmp/two', data: new Blob(['2']) },
    ])
    assert.equal((await sandbox.runCode("open('/tmp/one').read() + open('/tmp/two').read()")).text, '12')
    await assert.rejects(sandbox.files.read('nothing'), { name: 'FileNotFoundError' })
  }))

test('directories', () =>
  withSandbox(async (sandbox) => {
    assert.equal(await sandbox.files.makeDir('d'), true)
    assert.equal(await sandbox.files.makeDir('d'), false)
    await sandbox.files.write('d/old', 'text')
    assert.equal((await sandbox.files.rename('d/old', 'd/new')).path, '/home/user/d/new')
    assert.deepEqual([await sandbox.files.exists('d/old'), await sandbox.files.exists('d/new')], [false, true])
    assert.equal((await sandbox.files.getInfo('d/new')).size, 4)
    assert.deepEqual((await sandbox.files.list('d')).map((entry) => entry.name), ['new'])
    await sandbox.files.remove('d')
    assert.equal(await sandbox.files.exists('d'), false)
  }))

test('a watched directory', () =>
  withSandbox(async (sandbox) => {
    await sandbox.files.makeDir('d')
    const events = []
    const watch = await sandbox.files.watchDir('d', (event) => events.push(`${event.type} ${event.name}`))
    await sandbox.files.write('d/f', 'text')
    await until(() => events.length >= 3)
    assert.deepEqual([...events].sort(), ['chmod f', 'create f', 'write f'])
    assert.equal(events[0], 'create f')
    await watch.stop()
    await assert.rejects(sandbox.files.watchDir('nothing', () => {}), { name: 'FileNotFoundError' })
  }))

test('signed addresses', () =>
  withSandbox(async (sandbox) => {
    const form = new FormData()
    form.append('file', new Blob(['by form']), 'f')
    const upload = await fetch(await sandbox.uploadUrl('f'), { method: 'POST', body: form })
    assert.equal(upload.status, 200)
    const address = await sandbox.downloadUrl('f', { useSignatureExpiration: 60_000 })
    assert.equal(await (await fetch(address)).text(), 'by form')
    assert.equal((await fetch(address.replace('path=f', 'path=g'))).status, 401)
  }))

test('a port', () =>
  withSandbox(async (sandbox) => {
    await sandbox.files.write('served/page', 'from the sandbox')
    await sandbox.commands.run('python -m http.server -d served 8000', { background: true })
    assert.match(sandbox.getHost(8000), new RegExp(`^8000-${sandbox.sandboxId}\\.localhost:`))
    const headers = { 'E2b-Sandbox-Id': sandbox.sandboxId, 'E2b-Sandbox-Port': '8000' }
    let answer
    await until(async () => (answer = await fetch(`${process.env.E2B_SANDBOX_URL}/page`, { headers })).status === 200)
    assert.equal(await answer.text(), 'from the sandbox')
  }))

test('git', (t) =>
  withSandbox(async (sandbox) => {
    if ((await sandbox.commands.run('command -v git || true')).stdout === '') return t.skip('needs git')
    const git = sandbox.git
    await git.configureUser('A', 'a@example.org')
    await git.init('origin', { bare: true, initialBranch: 'main' })
    await git.init('work', { initialBranch: 'main' })
    await git.setConfig('pull.ff', 'only', { scope: 'local', path: 'work' })
    assert.equal(await git.getConfig('pull.ff', { scope: 'local', path: 'work' }), 'only')
    await sandbox.files.write('work/f', 'first')
    await git.add('work')
    await git.commit('work', 'first')
    await git.remoteAdd('work', 'origin', '/home/user/origin')
    assert.equal(await git.remoteGet('work', 'origin'), '/home/user/origin')
    await git.push('work', { remote: 'origin', branch: 'main' })
    await git.clone('/home/user/origin', { path: 'copy' })
    assert.equal(await sandbox.files.read('copy/f'), 'first')
    await sandbox.files.write('work/f', 'second')
    assert.deepEqual((await git.status('work')).fileStatus.map((file) => file.name), ['f'])
    await git.restore('work', { paths: ['f'] })
    assert.equal((await git.status('work')).isClean, true)
    await git.createBranch('work', 'other')
    await git.checkoutBranch('work', 'main')
    assert.deepEqual((await git.branches('work')).branches.sort(), ['main', 'other'])
    await git.deleteBranch('work', 'other')
    await git.commit('work', 'empty', { allowEmpty: true })
    await git.push('work', { remote: 'origin', branch: 'main' })
    await git.pull('copy')
    assert.equal((await sandbox.commands.run('git -C copy log --format=%s')).stdout, 'empty\nfirst\n')
    await git.reset('copy', { mode: 'hard', target: 'HEAD~1' })
    assert.equal((await sandbox.commands.run('git -C copy log --format=%s')).stdout, 'first\n')
    await git.dangerouslyAuthenticate({ username: 'user', password: 'secret', host: 'git.example.org' })
    assert.match(await sandbox.files.read('.git-credentials'), /git\.example\.org/)
  }))

test('a template is built', async () => {
  assert.equal(await Template.exists('in-javascript'), false)
  const template = Template({ fileContextPath: '.' })
    .fromPythonImage()
    .copy('package.json', '/home/user/copied.json')
    .setEnvs({ GREETING: 'hello' })
  await Template.build(template, 'in-javascript')
  const info = await Template.buildInBackground(Template().fromImage('any'), 'wrong')
  let state
  do state = await Template.getBuildStatus(info)
  while (state.status === 'building')
  assert.match(state.reason.message, /the image 'any' cannot be had/)
  assert.equal(await Template.aliasExists('in-javascript'), true)
  const sandbox = await Sandbox.create('in-javascript')
  const shown = await sandbox.commands.run('echo $GREETING; grep -c e2b copied.json')
  assert.match(shown.stdout, /^hello\n[1-9]/)
  await sandbox.kill()
})

test('what is not served', () =>
  withSandbox(async (sandbox) => {
    const calls = [
      () => Template.assignTags('name:one', 'two'),
      () => Template.getTags('name'),
      () => Template.removeTags('name', 'tag'),
      () => Volume.create('name'),
      () => Volume.connect('name'),
      () => Volume.getInfo('name'),
      () => Volume.list(),
      () => Volume.destroy('name'),
      () => Secret.create('name', 'value'),
      () => Secret.update('name', 'value'),
      () => Secret.getInfo('name'),
      () => Secret.exists('name'),
      () => Secret.destroy('name'),
      () => Secret.list().nextItems(),
      () => Sandbox.create({ network: { rules: { 'any.example': [{ transform: { headers: { any: 'any' } } }] } } }),
      () => Sandbox.create({ volumeMounts: { '/data': 'any' } }),
      () => sandbox.createCodeContext({ language: 'r' }),
      () => sandbox.runCode('1', { language: 'r' }),
    ]
    for (const call of calls) await assert.rejects(call(), /501/, String(call))
  }))

test('an MCP gateway cannot be started', async () => {
  const metadata = { test: 'mcp in javascript' }
  await assert.rejects(Sandbox.create({ mcp: { any: {} }, metadata }), /Failed to start MCP gateway/)
  assert.deepEqual(await Sandbox.list({ query: { metadata } }).nextItems(), [])
})

test('network rules', () =>
  withSandbox(async sandbox => {
    await sandbox.updateNetwork({ denyOut: ['0.0.0.0/0'] })
    assert.deepEqual((await Sandbox.getFullInfo(sandbox.sandboxId)).network.denyOut, ['0.0.0.0/0'])
    await assert.rejects(sandbox.updateNetwork({ allowOut: ['1.1.1.1'] }), /400: network.allowOut needs allow_internet_access/)
  }))

test('the client object', async () => {
  const { E2B } = await import('e2b')
  const client = new E2B({ apiKey: process.env.E2B_API_KEY })
  const sandbox = await client.Sandbox.create()
  assert.equal((await sandbox.commands.run('echo hi')).stdout, 'hi\n')
  assert.equal(await sandbox.kill(), true)
})
