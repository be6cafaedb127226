// The shop's page. What it tells TrackMate is in the four functions under "What TrackMate hears".

const products = new Map((await get('/api/products')).map((product) => [product.productId, product]));
const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const find = (selector) => document.querySelector(selector);

let customer = null;
let order = null;

// What TrackMate hears of this page. Its page views come from the snippet in page.html.

function tellAddedToCart(product) {
  TrackMate.track('add_to_cart', { address: location.href, productInfos: [product] });
}

function tellCheckoutStarted(productsInCart) {
  TrackMate.track('checkout_started', { address: location.href, productInfos: productsInCart });
}

/** From here on everything this browser did, and does, is on this customer's timeline. Not awaited: signing in waits for nobody. */
function tellWhoThisIs({ name, email }) {
  TrackMate.identify({ name, email });
}

/** What the next person does in this browser is not this customer's. */
function tellSignedOut() {
  TrackMate.reset();
}

// The cart: ids of products, in the browser's storage, so that it survives a reload and is the same in all tabs.

const CART = 'shop:cart';
const inCart = () => JSON.parse(localStorage.getItem(CART) ?? '[]').filter((id) => products.has(id)).map((id) => products.get(id));

function putIntoCart(list) {
  localStorage.setItem(CART, JSON.stringify(list.map((product) => product.productId)));
  showCart();
}

function showCart() {
  const list = inCart();
  const total = money.format(list.reduce((sum, product) => sum + product.price, 0));
  find('#count').textContent = list.length;
  if (list.length === 0) find('#added').textContent = '';
  find('#total').textContent = find('#to-pay').textContent = total;
  find('#pay-now').textContent = `Pay ${total}`;
  find('#cart-empty').hidden = list.length > 0;
  find('#cart-full').hidden = list.length === 0;
  find('#lines').replaceChildren(
    ...list.map((product, index) => {
      const line = document.createElement('li');
      const remove = Object.assign(document.createElement('button'), { className: 'quiet', textContent: 'Remove' });
      remove.addEventListener('click', () => putIntoCart(inCart().filter((_, at) => at !== index)));
      line.append(Object.assign(document.createElement('span'), { textContent: product.productName }), money.format(product.price), remove);
      return line;
    }),
  );
}

find('#add-to-cart').addEventListener('click', ({ currentTarget }) => {
  const product = products.get(currentTarget.dataset.product);
  putIntoCart([...inCart(), product]);
  tellAddedToCart(product);
  find('#added').textContent = 'It is in your cart.';
});

// The customer.

function showCustomer() {
  find('#sign-in').hidden = find('#to-account').hidden = customer !== null;
  find('#me').hidden = find('#start-checkout').hidden = customer === null;
  find('#my-name').textContent = customer?.name ?? '';
}

for (const [form, path] of [['#register', '/api/register'], ['#log-in', '/api/login']]) {
  onSubmit(form, async (fields) => {
    customer = await post(path, fields);
    tellWhoThisIs(customer);
    showCustomer();
    go(inCart().length > 0 ? '#cart' : '');
  });
}

find('#sign-out').addEventListener('click', async () => {
  await post('/api/logout');
  tellSignedOut();
  localStorage.removeItem(CART);
  location.assign('/');
});

// The order.

find('#start-checkout').addEventListener('click', () => {
  go('#checkout');
  tellCheckoutStarted(inCart());
});

onSubmit('#pay', async () => {
  const { orderId } = await post('/api/checkout', { paymentMethod: 'card', products: inCart().map((product) => product.productId) });
  putIntoCart([]);
  order = { orderId };
  go('#order');
  await followOrder();
});

/** Asks how far the order is until all of it has happened. */
async function followOrder() {
  for (;;) {
    order = await get(`/api/orders/${order.orderId}`);
    find('#order-id').textContent = order.orderId;
    const reached = { paid: money.format(order.amount), shipped: order.trackingNumber && `${order.carrier}, ${order.trackingNumber}`, confirmed: order.confirmedAt && order.email };
    for (const step of find('#steps').children) {
      const note = reached[step.dataset.stage];
      step.classList.toggle('done', Boolean(note));
      step.querySelector('small').textContent = note ?? '';
    }
    if (order.confirmedAt) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// Where one is: the path is a page, the part after # opens the drawer at a step or scrolls to a section.

function go(hash) {
  history.pushState(null, '', location.pathname + hash);
  showWhere();
}

function showWhere() {
  for (const page of document.querySelectorAll('.page')) page.hidden = page.dataset.path !== location.pathname;
  let step = location.hash.slice(1);
  if (step === 'checkout' && (!customer || inCart().length === 0)) step = 'cart';
  if (step === 'order' && !order) step = '';
  let open = false;
  for (const section of document.querySelectorAll('[data-step]')) {
    section.hidden = section.dataset.step !== step;
    if (section.hidden) continue;
    open = true;
    find('#drawer-title').textContent = section.dataset.title;
  }
  const drawer = find('#drawer');
  if (open && !drawer.open) drawer.showModal();
  if (!open && drawer.open) drawer.close();
}

addEventListener('click', (event) => {
  const link = event.target.closest('a[data-page]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  showWhere();
  scrollTo(0, 0);
});
addEventListener('popstate', showWhere);
addEventListener('storage', showCart);
find('#close').addEventListener('click', () => go(''));
find('#drawer').addEventListener('cancel', () => go(''));
find('#drawer').addEventListener('click', (event) => event.target === event.currentTarget && go(''));

// The back end.

async function get(path) {
  return answerOf(await fetch(path));
}

async function post(path, body = {}) {
  return answerOf(await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }));
}

async function answerOf(response) {
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? 'That did not work. Try again, please.');
  return answer;
}

/** Runs a form's work once at a time, and says in the form what went wrong. */
function onSubmit(selector, work) {
  const form = find(selector);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    const problem = form.querySelector('.problem');
    problem.textContent = '';
    button.disabled = true;
    try {
      await work(Object.fromEntries(new FormData(form)));
      form.reset();
    } catch (error) {
      problem.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

({ customer } = await get('/api/me'));
showCustomer();
showCart();
showWhere();
document.documentElement.dataset.ready = '';
