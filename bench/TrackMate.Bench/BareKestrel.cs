namespace TrackMate.Bench;

/// <summary>The baseline of ingest over HTTP: the same Kestrel takes the same requests, reads their bodies, and answers without parsing or storing anything.</summary>
internal static class BareKestrel
{
    private static readonly byte[] Answer = """{"accepted":1,"duplicates":0}"""u8.ToArray();

    public static async Task<int> Run(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        var app = builder.Build();
        app.UseRouting();
        app.MapPost("/api/events", Handle).ShortCircuit();
        await app.RunAsync();
        return 0;
    }

    private static async Task Handle(HttpContext http)
    {
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }

        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = Answer.Length;
        await http.Response.BodyWriter.WriteAsync(Answer);
    }
}
