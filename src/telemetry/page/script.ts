/** Makes the finished page nicer: how long ago, readings under the pointer, a copy button, fresh figures every minute. Times stay in UTC. */
export const PAGE_SCRIPT = `
(() => {
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
  const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16) + ' UTC';

  const distance = (ms) => {
    const minutes = Math.round(ms / 60000);
    if (Math.abs(minutes) < 90) return relative.format(minutes, 'minute');
    if (Math.abs(minutes) < 36 * 60) return relative.format(Math.round(minutes / 60), 'hour');
    return relative.format(Math.round(minutes / 1440), 'day');
  };

  const showTimes = (root) => {
    for (const element of root.querySelectorAll('time')) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      element.append(', ' + distance(at.getTime() - Date.now()));
    }
  };

  const watchChart = (figure) => {
    const svg = figure.querySelector('svg');
    const output = figure.querySelector('output');
    const unit = figure.querySelector('.reading span');
    if (!svg || !output || !unit) return;
    const points = figure.dataset.points.split(' ').map((pair) => pair.split(':').map(Number));
    const rest = [output.textContent, unit.textContent];
    const start = Math.min(points[0][0], points[points.length - 1][0] - 3600);
    const end = points[points.length - 1][0];
    const left = Number(svg.dataset.left);
    const right = Number(svg.dataset.right);
    const marker = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    marker.setAttribute('class', 'marker');
    marker.setAttribute('y1', '10');
    marker.setAttribute('y2', '154');
    svg.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const time = start + ((x - left) / (right - left)) * (end - start);
      const near = points.reduce((best, point) => (Math.abs(point[0] - time) < Math.abs(best[0] - time) ? point : best));
      output.textContent = number.format(near[1]);
      unit.textContent = figure.dataset.unit + ' at ' + clock(near[0]);
      const at = String(left + ((near[0] - start) / (end - start)) * (right - left));
      marker.setAttribute('x1', at);
      marker.setAttribute('x2', at);
      if (!marker.parentNode) svg.append(marker);
    });
    svg.addEventListener('pointerleave', () => {
      [output.textContent, unit.textContent] = rest;
      marker.remove();
    });
  };

  const addCopy = (details) => {
    if (!navigator.clipboard) return;
    const pre = details.querySelector('pre');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    pre.before(button);
  };

  const enhance = (root) => {
    showTimes(root);
    root.querySelectorAll('.chart[data-points]').forEach(watchChart);
    root.querySelectorAll('.raw').forEach(addCopy);
  };

  const refresh = async () => {
    const main = document.getElementById('main');
    if (document.hidden || main.querySelector('details[open]') || main.contains(document.activeElement) || main.querySelector('.marker')) return;
    // The token that the login of the explorer put aside for this tab.
    const token = sessionStorage.getItem('influxdb3-token');
    const headers = token === null ? {} : { authorization: 'Bearer ' + token };
    const answer = await fetch(location.href, { cache: 'no-store', headers }).catch(() => undefined);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const next = fresh.getElementById('main');
    if (!next) return;
    enhance(next);
    main.replaceWith(document.adoptNode(next));
    document.title = fresh.title;
  };

  enhance(document);
  setInterval(refresh, 60000);
})();
`;
