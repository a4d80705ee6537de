import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { failureOf, openShop } from '../support/cli.ts';
import { expectValidated } from '../support/documents.ts';

it('suppliers are taken in under the names that another program gives their columns', async () => {
  const shop = openShop();
  shop.write('list.csv', 'Vendor,Company,E-mail\nacme,ACME Ltd,orders@acme.example\n');
  const columns = ['supplier_id=Vendor', 'name=Company', 'contact=E-mail'].flatMap((one) => [
    '--column',
    one,
  ]);
  const file = path.join(shop.storage, 'list.csv');
  await shop.ok(['supplier', 'import', file, ...columns]);
  expect(shop.read('suppliers.csv')).toBe('supplier_id,name,contact\nacme,ACME Ltd,orders@acme.example\n');
  const hint = failureOf(
    await shop.run(['supplier', 'import', file, '--column', 'id=Vendor', '-o', 'json']),
  ).fix;
  expect(hint).toContain('--column supplier_id=Vendor');
});

it('suppliers are added, changed, shown, completed and removed, in a file that may be edited by hand', async () => {
  const shop = openShop();
  expect(
    await shop.json(['supplier', 'add', 'SUP-1', '--name', 'Paper, Ltd', '--contact', '+49 30 1234']),
  ).toEqual({ supplier_id: 'SUP-1', before: null, after: { name: 'Paper, Ltd', contact: '+49 30 1234' } });
  expect(shop.read('suppliers.csv')).toBe('supplier_id,name,contact\nSUP-1,"Paper, Ltd",+49 30 1234\n');
  const twice = await shop.run('supplier add --supplier SUP-1 -o json');
  expect([twice.code, failureOf(twice).code]).toEqual([4, 'already_exists']);
  shop.write('suppliers.csv', `${shop.read('suppliers.csv')}SUP-0,Ink,\n`);
  expect(await shop.json('supplier update SUP-0 --contact ink@ink.example')).toMatchObject({
    before: { name: 'Ink', contact: null },
    after: { name: 'Ink', contact: 'ink@ink.example' },
  });
  expect((await shop.ok('supplier show')).stdout).toBe(
    [
      'SUPPLIER  NAME        CONTACT',
      'SUP-0     Ink         ink@ink.example',
      'SUP-1     Paper, Ltd  +49 30 1234',
      '',
    ].join('\n'),
  );
  expect((await shop.ok(['__complete', 'supplier', 'show', 'SUP-'])).stdout).toBe('SUP-1\nSUP-0\n');
  expect(await shop.json('supplier show SUP-1')).toMatchObject({ suppliers: [{ supplier_id: 'SUP-1' }] });
  expect((await shop.run('supplier show none')).code).toBe(3);
  expect((await shop.run('supplier update none --name x')).code).toBe(3);
  expect((await shop.run('supplier update SUP-1')).code).toBe(2);
  for (const wrong of [
    ['--name', '=1+1'],
    ['--contact', '@x'],
    ['--contact', '+x()'],
  ])
    expect((await shop.run(['supplier', 'update', 'SUP-1', ...wrong])).code).toBe(2);
  expect((await shop.run('supplier remove SUP-1')).code).toBe(2);
  expect(await shop.json('supplier remove SUP-1 --yes')).toMatchObject({ after: null });
  expect(shop.read('suppliers.csv')).toBe('supplier_id,name,contact\nSUP-0,Ink,ink@ink.example\n');
  expectValidated('supplier add');
  expectValidated('supplier update');
  expectValidated('supplier show');
  expectValidated('supplier remove');
});

it('a list of suppliers is taken in as a whole or not at all, and is part of a backup', async () => {
  const shop = openShop();
  await shop.ok('supplier add SUP-1 --name Paper --contact p@paper.example');
  const list = path.join(shop.folder, 'list.csv');
  fs.writeFileSync(list, 'Name;Supplier ID;Town\nPulp;SUP-1;Ulm\nInk;SUP-2;Bonn\n');
  const dry = await shop.json(['supplier', 'import', list, '--dry-run']);
  expect(dry).toEqual({ added: 1, changed: 1, unchanged: 0, dry_run: true });
  expect(shop.read('suppliers.csv')).toContain('Paper');
  await shop.ok(['supplier', 'import', list]);
  const whole = 'supplier_id,name,contact\nSUP-1,Pulp,p@paper.example\nSUP-2,Ink,\n';
  expect(shop.read('suppliers.csv')).toBe(whole);
  expect(await shop.json(['supplier', 'import', list])).toMatchObject({ added: 0, changed: 0, unchanged: 2 });
  for (const [text, line] of [
    ['supplier_id\nSUP-3\n=x\n', 3],
    ['supplier_id\nSUP-3\nSUP-3\n', 3],
    ['name\nx\n', 1],
  ] as const) {
    fs.writeFileSync(list, text);
    const failure = failureOf(await shop.run(['supplier', 'import', list, '-o', 'json']));
    expect(failure).toMatchObject({ code: 'invalid_input', exit_code: 6, line });
  }
  await shop.ok(['backup', path.join(shop.folder, 'copy')]);
  expect(fs.readFileSync(path.join(shop.folder, 'copy/suppliers.csv'), 'utf8')).toBe(whole);
  shop.write('suppliers.csv', `${whole}SUP-2,again,\n`);
  const broken = await shop.run('supplier show -o json');
  expect(failureOf(broken)).toMatchObject({ code: 'corrupt_file', exit_code: 6, line: 4 });
  expectValidated('supplier import');
});
