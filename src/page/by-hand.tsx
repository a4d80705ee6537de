import { hasToken } from './data/token.ts';

/** Shows how to do the same on a command line. @param call `GET /orders` @param body sent as JSON */
export function ByHand({ cli, call, body }: { cli: string; call: string; body?: object }) {
  const [method = 'GET', path = ''] = call.split(' ');
  const words = [
    'curl',
    ...(method === 'GET' ? [] : ['-X', method]),
    ...(hasToken() ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(method === 'GET' ? [] : [`--json '${JSON.stringify(body ?? {}).replaceAll("'", "'\\''")}'`]),
    `'${location.origin}${path}'`,
  ];
  return (
    <p class="by-hand">
      <code>{cli}</code>
      <code>{words.join(' ')}</code>
    </p>
  );
}
