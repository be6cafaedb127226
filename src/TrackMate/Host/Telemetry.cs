using System.Net;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Ingest;

namespace TrackMate.Host;

/// <summary>Prometheus metrics always; traces if an OpenTelemetry endpoint is set; logs as JSON unless the output is a terminal. No body or secret is ever logged.</summary>
internal static class Telemetry
{
    public static void Add(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        // ASP.NET Core would create a log scope for each request, even if nothing is logged. Kestrel itself logs unhandled exceptions.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // ServeCommand reports a failed start in one sentence, so the host does not log it with a stack trace.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        if (Console.IsOutputRedirected) builder.Logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        else builder.Logging.AddSimpleConsole(simple => simple.SingleLine = true);

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("trackmate", serviceVersion: Health.Version))
            .WithMetrics(metrics => metrics.AddMeter(StoreMetrics.MeterName).AddPrometheusExporter());
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
            telemetry.WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddOtlpExporter());
    }

    /// <inheritdoc cref="StoreMetrics.ShowZeros"/>
    public static void ShowZeros()
    {
        StoreMetrics.ShowZeros();
        EdgeMetrics.ShowZeros();
    }

    /// <summary>Maps <c>/metrics</c>, for clients on this machine, and others with an API key of the scope <c>read</c>.</summary>
    public static void Map(WebApplication app) =>
        app.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new LoopbackOrKey());

    /// <summary>Marks an endpoint for operators.</summary>
    public sealed class LoopbackOrKey;

    public static Task Guard(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<LoopbackOrKey>() is null || IsLocal(http)) return next(http);
        Keys.Authorize(http, http.RequestServices.GetRequiredService<Registry>(), Scopes.Read);
        return next(http);
    }

    // Behind a proxy on this machine that is not trusted, the remote address is the proxy's. So a forwarded request never counts as local.
    private static bool IsLocal(HttpContext http) =>
        http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address) && !http.Request.Headers.ContainsKey("X-Forwarded-For");
}
