using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using TrackMate.Host.Contract;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Receive;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Transfer;

namespace TrackMate.Host;

/// <summary>Puts the server together: what it is made of, and the table of what it answers, in the order of the data.</summary>
internal static class Server
{
    /// <summary>As many as there may be connections to a database.</summary>
    private const int ThreadsAtOnce = 100;

    public static WebApplication Build(ServerOptions options, TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var connections = new OpenConnections(options.Edge, options.TrustedProxies);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Our own limit answers with a sentence; Kestrel's only has to be beyond it.
            kestrel.Limits.MaxRequestBodySize = 4 * RequestBody.MaxBytes;
            kestrel.Limits.MaxRequestBufferSize = EdgeLimits.ReadAheadBytes;
            kestrel.Limits.RequestHeadersTimeout = EdgeLimits.HeaderTime;
            kestrel.ConfigureEndpointDefaults(listen =>
            {
                // One connection of HTTP/2 holds as much as a hundred: proxies speak it to browsers, and HTTP/1.1 to us.
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => context => connections.Serve(context, next));
            });
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedPrefix;
            // Every trusted hop is stepped over, not only the last: behind two proxies the visitor's address still is the visitor's.
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in options.TrustedProxies) forwarded.KnownIPNetworks.Add(network);
        });
        Telemetry.Add(builder);
        // Whoever reads holds a thread until the database answers: where it hangs, those who ask nothing of it must not wait until there are more threads.
        if (options.Installation.Engine.IsShared) ThreadPool.SetMinThreads(ThreadsAtOnce, ThreadsAtOnce);

        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<StartGate>();
        builder.Services.AddSingleton(new PublicAddress(options.PublicUrl));
        builder.Services.AddSingleton(services => MessageStore.Open(options.Installation.Engine, services.GetRequiredService<ILogger<MessageStore>>()));
        builder.Services.AddSingleton(_ => Registry.Open(options.Installation.Engine, options.Installation.Sealing, time));
        builder.Services.AddHostedService<RegistryRefresh>();
        builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<ErasureResume>(services, options.Installation.Engine));
        builder.Services.AddHostedService<RebuildResume>();
        builder.Services.AddHostedService<IngestionBounds>();
        builder.Services.AddHostedService<SearchIndexing>();
        builder.Services.AddHostedService<StitchRate>();
        builder.Services.AddHostedService<DiskWatch>();
        builder.Services.AddSingleton(_ => new RateLimit(options.RequestsPerSecond));
        builder.Services.AddSingleton(_ => new PairLimit(options.PairsPerAddress, options.PairsPerSession));
        builder.Services.AddSingleton<DailyQuota>();
        builder.Services.AddSingleton(_ => new ParseGate(ParseGate.HalfOfTheProcessors, time));
        builder.Services.AddSingleton<DiskSpace>();
        builder.Services.AddSingleton<Intake>();
        builder.Services.AddSingleton<TrackEvents>();
        builder.Services.AddSingleton<IdentifyProfile>();
        builder.Services.AddSingleton<ReceiveWebhook>();
        builder.Services.AddSingleton<MendRejected>();
        builder.Services.AddSingleton<IMender, Mender>();
        builder.Services.AddSingleton<ReadApi>();
        builder.Services.AddSingleton(services =>
        {
            var store = services.GetRequiredService<MessageStore>();
            return new Eraser(options.Installation.Engine, store.EraseAsync);
        });
        builder.Services.AddSingleton<ErasureApi>();
        builder.Services.AddSingleton<ExportApi>();
        builder.Services.AddSingleton<ActApi>();
        OpenApi.Add(builder.Services);
        AddCompression(builder.Services);
        Dashboard.Add(builder, options.Installation);

        var app = builder.Build();
        if (options.TrustedProxies.Count > 0) app.UseForwardedHeaders();
        if (options.TrustedProxies.Count > 0 || options.PathBase.Length > 0) app.Use(next => http => PathBases.Middleware(http, next, options.PathBase));
        app.Use(next => http => RestOfBody.Middleware(http, next));
        app.Use(next => http => PublicCalls.Middleware(http, next));
        app.Use(next => http => Problems.Middleware(http, next));
        app.Use(next => http => HeadRequests.Middleware(http, next));
        var gate = app.Services.GetRequiredService<StartGate>();
        app.Use(next => http => gate.Pass(http, next));
        app.Use(next => http => AddressText.Middleware(http, next));
        if (options.TrustedProxies.Count > 0) app.Use(next => http => connections.Forward(http, next));
        app.UseRouting();
        app.Use(next => http => Problems.FillEmpty(http, next));
        app.Use(next => http => HeadRequests.Allow(http, next));
        app.Use(next => http => Telemetry.Guard(http, next));
        app.UseResponseCompression();
        Dashboard.Use(app);
        TrackEvents.Map(app);
        IdentifyProfile.Map(app);
        ReceiveWebhook.Map(app);
        BrowserSdk.Map(app);
        ReadRoutes.Map(app);
        ActRoutes.Map(app);
        ExportApi.Map(app);
        ErasureApi.Map(app);
        Dashboard.Map(app);
        Health.Map(app);
        Telemetry.Map(app);
        OpenApi.Map(app);
        return app;
    }

    /// <summary>
    /// Of pages and what is read; the calls that receive and the live stream answer without it. That encrypted pages are compressed tells nobody a secret: cookies do
    /// not travel with requests that another site makes (SameSite=Strict), nor keys, and the token in a form is another one each time.
    /// </summary>
    private static void AddCompression(IServiceCollection services) => services.AddResponseCompression(compression =>
    {
        compression.EnableForHttps = true;
        compression.Providers.Add<BrotliCompressionProvider>();
        compression.Providers.Add<GzipCompressionProvider>();
        compression.MimeTypes = ["text/html", "text/plain", "application/json", "application/problem+json", ExportApi.ContentType.Split(';')[0]];
    });
}
