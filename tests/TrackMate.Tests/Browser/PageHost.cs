using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TrackMate.Tests.Browser;

/// <summary>A company's website: pages as a test writes them, at an origin that is not TrackMate's.</summary>
public sealed class PageHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (string Html, string? Policy)> pages = new(StringComparer.Ordinal);
    private readonly WebApplication app;

    private PageHost()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.Run(Answer);
    }

    public static async Task<PageHost> StartAsync()
    {
        var host = new PageHost();
        await host.app.StartAsync();
        return host;
    }

    /// <param name="policy">The page's Content-Security-Policy.</param>
    /// <returns>The page's address.</returns>
    public string Publish(string html, string? policy = null)
    {
        var path = $"/{pages.Count + 1}";
        pages[path] = ($"<!doctype html><meta charset=utf-8><title>Page {path}</title>{html}", policy);
        return app.Urls.First() + path;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private Task Answer(HttpContext http)
    {
        if (!pages.TryGetValue(http.Request.Path.Value ?? "", out var page))
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        if (page.Policy is not null) http.Response.Headers.ContentSecurityPolicy = page.Policy;
        http.Response.ContentType = "text/html";
        return http.Response.WriteAsync(page.Html);
    }
}
