using Shop;

ShopSettings settings;
try
{
    settings = ShopSettings.FromEnvironment();
}
catch (InvalidOperationException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory, WebRootPath = "page" });
builder.WebHost.UseUrls(settings.Urls.Split(';'));
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Services.AddSingleton(settings);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<Customers>();
builder.Services.AddSingleton<Orders>();
builder.Services.AddSingleton<Page>();

// What TrackMate is told by this back end goes through here, and what the rest of the shop knows of it is one method: Tell.
builder.Services.AddSingleton<TrackMateOutbox>();
builder.Services.AddHostedService(services => services.GetRequiredService<TrackMateOutbox>());
builder.Services.AddSingleton<TrackMateWebhook>();

builder.Services.AddHostedService<Fulfilment>();
builder.Services.AddSingleton<PretendPayments>();
builder.Services.AddSingleton<PretendCarrier>();
builder.Services.AddSingleton<PretendMail>();

var app = builder.Build();
app.UseStaticFiles();

// One page; a browser that is sent to one of its addresses gets it too.
foreach (var address in (string[])["/", "/shipping", "/about"]) app.MapGet(address, (Page page, HttpContext http) => page.Show(http));

app.MapPost("/api/register", Customers.Register);
app.MapPost("/api/login", Customers.LogIn);
app.MapPost("/api/logout", Customers.LogOut);
app.MapGet("/api/me", Customers.Me);

app.MapGet("/api/products", Catalogue.Show);
app.MapPost("/api/checkout", Checkout.Pay);
app.MapGet("/api/orders/{orderId}", Checkout.Status);
app.MapPost("/webhooks/sendgrid", MailWebhook.Receive);

app.Run();
return 0;
