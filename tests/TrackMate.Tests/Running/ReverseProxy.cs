using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TrackMate.Tests.Running;

/// <summary>What operators put before TrackMate: it serves other things at its own host, and TrackMate below a path.</summary>
public sealed class ReverseProxy : IAsyncDisposable
{
    private static readonly string[] OfTheConnection = ["Connection", "Keep-Alive", "Transfer-Encoding", "Host", "Upgrade"];

    private readonly WebApplication app;
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });

    private ReverseProxy()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        app = builder.Build();
    }

    public Uri Address => new(app.Urls.First());

    /// <summary>Paths that were asked for and are not below the one of TrackMate.</summary>
    public List<string> Strays { get; } = [];

    /// <param name="path">Where TrackMate is, such as <c>/trackmate</c>.</param>
    /// <param name="strips">Takes the path off before it passes a request on.</param>
    /// <param name="tells">Says it in X-Forwarded-Prefix.</param>
    public static async Task<ReverseProxy> StartAsync(ServerProcess server, string path, bool strips, bool tells)
    {
        var proxy = new ReverseProxy();
        proxy.app.Run(request => proxy.PassOnAsync(request, server.Address, path, strips, tells));
        await proxy.app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        http.Dispose();
    }

    private async Task PassOnAsync(HttpContext request, Uri to, string path, bool strips, bool tells)
    {
        if (!request.Request.Path.StartsWithSegments(path, StringComparison.Ordinal, out var rest))
        {
            if (request.Request.Path != "/favicon.ico") lock (Strays) Strays.Add(request.Request.Path);
            request.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var passed = new HttpRequestMessage(new(request.Request.Method), new Uri(to, (strips ? "/" + rest.ToUriComponent().TrimStart('/') : request.Request.Path.ToUriComponent()) + request.Request.QueryString));
        if (request.Request.ContentLength > 0 || request.Request.Headers.TransferEncoding.Count > 0) passed.Content = new StreamContent(request.Request.Body);
        foreach (var header in request.Request.Headers.Where(header => !OfTheConnection.Contains(header.Key, StringComparer.OrdinalIgnoreCase)))
        {
            if (!passed.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value)) passed.Content?.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
        }

        passed.Headers.Host = request.Request.Host.Value;
        passed.Headers.TryAddWithoutValidation("X-Forwarded-For", "198.51.100.7");
        passed.Headers.TryAddWithoutValidation("X-Forwarded-Proto", "http");
        if (tells) passed.Headers.TryAddWithoutValidation("X-Forwarded-Prefix", path);

        using var answer = await http.SendAsync(passed, HttpCompletionOption.ResponseHeadersRead, request.RequestAborted);
        request.Response.StatusCode = (int)answer.StatusCode;
        foreach (var header in answer.Headers.Concat(answer.Content.Headers).Where(header => !OfTheConnection.Contains(header.Key, StringComparer.OrdinalIgnoreCase)))
            request.Response.Headers[header.Key] = header.Value.ToArray();
        var body = await answer.Content.ReadAsStreamAsync(request.RequestAborted);
        var piece = new byte[16 * 1024];
        try
        {
            // Piece by piece, so that a stream of events arrives as it is sent.
            for (int read; (read = await body.ReadAsync(piece, request.RequestAborted)) > 0;)
            {
                await request.Response.Body.WriteAsync(piece.AsMemory(0, read), request.RequestAborted);
                await request.Response.Body.FlushAsync(request.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The browser went elsewhere.
        }
    }
}
