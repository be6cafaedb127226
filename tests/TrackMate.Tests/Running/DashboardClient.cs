using System.Net;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>A person before the dashboard, without a browser: it keeps the cookies and sends forms, to whichever server of an installation it is told.</summary>
public sealed partial class DashboardClient : IDisposable
{
    // Cookies are a host's, whatever the port.
    private readonly CookieContainer cookies = new();
    private readonly HttpClient http;

    /// <param name="forwardedFor">Where a proxy says that the person is.</param>
    public DashboardClient(string? forwardedFor = null)
    {
        http = new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies });
        if (forwardedFor is not null) http.DefaultRequestHeaders.Add("X-Forwarded-For", forwardedFor);
    }

    /// <summary>Another browser with a copy of all cookies.</summary>
    public DashboardClient Copy()
    {
        var copy = new DashboardClient();
        copy.cookies.Add(cookies.GetAllCookies());
        return copy;
    }

    /// <summary>What requests name as the server's host, whatever it is.</summary>
    public string? Host
    {
        get => http.DefaultRequestHeaders.Host;
        init => http.DefaultRequestHeaders.Host = value;
    }

    public Task<HttpResponseMessage> GetAsync(ServerProcess server, string path) => http.GetAsync(new Uri(server.Address, path));

    public async Task<HttpResponseMessage> HeadAsync(ServerProcess server, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(server.Address, path));
        return await http.SendAsync(request);
    }

    /// <summary>Opens a stream of events: its answer is read as it comes.</summary>
    public Task<HttpResponseMessage> StreamAsync(ServerProcess server, string path, CancellationToken cancel) =>
        http.GetAsync(new Uri(server.Address, path), HttpCompletionOption.ResponseHeadersRead, cancel);

    /// <summary>Opens a page with a form on one server and posts it to another, or to the same.</summary>
    public Task<HttpResponseMessage> SubmitAsync(ServerProcess drawnBy, ServerProcess sentTo, string path, params (string Name, string Value)[] fields) =>
        SubmitAsync(drawnBy, sentTo, path, path, fields);

    private async Task<HttpResponseMessage> SubmitAsync(ServerProcess drawnBy, ServerProcess sentTo, string path, string action, params (string Name, string Value)[] fields)
    {
        using var page = await GetAsync(drawnBy, path);
        var token = Token().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", token), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        return await http.PostAsync(new Uri(sentTo.Address, action), form);
    }

    /// <returns>The answer to the login's form: a redirect if it was right.</returns>
    public async Task<HttpStatusCode> LogInAsync(ServerProcess server, string password = ServerProcess.AdminPassword, string name = "admin")
    {
        using var answer = await SubmitAsync(server, server, "/login", ("_handler", "login"), ("name", name), ("password", password));
        return answer.StatusCode;
    }

    /// <returns>The answer to a page's button <i>Log out</i>.</returns>
    public Task<HttpResponseMessage> LogOutAsync(ServerProcess drawnBy, ServerProcess sentTo, string page) => SubmitAsync(drawnBy, sentTo, page, "/logout");

    public void Dispose() => http.Dispose();

    [GeneratedRegex("__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
