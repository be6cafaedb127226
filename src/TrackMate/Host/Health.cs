using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrackMate.Http;
using TrackMate.Store;
using TrackMate.Store.Sql;

namespace TrackMate.Host;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: the store accepts messages.</summary>
internal static class Health
{
    public static readonly string Version = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>How long to wait for a store whose last write failed. Load balancers do not wait longer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void Map(WebApplication app)
    {
        app.MapGet("/health/live", http => WriteAsync(http, 200, "live", null)).ShortCircuit().Describe(new("live", CallGroup.Operate, "Ask whether the process answers",
            "Always 200 while it runs.",
            typeof(HealthAnswer), """{"status":"live","version":"0.1.0"}"""));

        app.MapGet("/health/ready", Ready).ShortCircuit().Describe(new("ready", CallGroup.Operate, "Ask whether the store takes what comes",
            "503 with a sentence while it does not.",
            typeof(HealthAnswer), """{"status":"ready","version":"0.1.0"}"""));
    }

    private static async Task Ready(HttpContext http)
    {
        if (!http.RequestServices.GetRequiredService<StartGate>().IsOpen)
        {
            await WriteUnavailableAsync(http, "starting", "The server is starting: its company, key and login do not exist yet.");
            return;
        }

        var store = http.RequestServices.GetRequiredService<MessageStore>();
        try
        {
            // After a failure an empty append tests whether the store can be written again. So a server without traffic becomes ready by itself.
            await store.ProbeAsync().WaitAsync(Patience);
            using (var snapshot = store.Read()) snapshot.Touch();
            await WriteAsync(http, 200, "ready", null);
        }
        catch (Exception e) when (e is StoreUnavailableException or TimeoutException)
        {
            var detail = store.IsInPlace ? "The store cannot write or be read now; the log says why." : "The data folder was deleted, moved or replaced; the log says what to do.";
            await WriteUnavailableAsync(http, "unavailable", detail);
        }
    }

    private static Task WriteUnavailableAsync(HttpContext http, string state, string detail)
    {
        http.Response.Headers.RetryAfter = "1";
        return WriteAsync(http, StatusCodes.Status503ServiceUnavailable, state, detail);
    }

    private static Task WriteAsync(HttpContext http, int status, string state, string? detail)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(JsonSerializer.Serialize(new(state, Version, detail), HealthJson.Default.HealthAnswer), http.RequestAborted);
    }
}

/// <summary>Whether the server runs and takes what comes.</summary>
internal sealed record HealthAnswer(string Status, string Version, string? Detail = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;
