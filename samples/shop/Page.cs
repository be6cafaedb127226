using System.Security.Cryptography;
using System.Text.Encodings.Web;

namespace Shop;

/// <summary>The shop's page, with TrackMate's snippet in it, under a strict Content-Security-Policy.</summary>
internal sealed class Page(ShopSettings settings)
{
    private readonly string html = Read()
        .Replace("{{company}}", JavaScriptEncoder.Default.Encode(settings.Company))
        .Replace("{{url}}", settings.TrackMateUrl.GetLeftPart(UriPartial.Path).TrimEnd('/'));

    public IResult Show(HttpContext http)
    {
        // TrackMate needs two things of the policy: the nonce for its two script tags, and its address to send to.
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        http.Response.Headers.ContentSecurityPolicy =
            $"default-src 'self'; script-src 'self' 'nonce-{nonce}'; connect-src 'self' {settings.TrackMateUrl.GetLeftPart(UriPartial.Authority)}; base-uri 'none'; frame-ancestors 'none'";
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Text(html.Replace("{{nonce}}", nonce), "text/html; charset=utf-8");
    }

    private static string Read()
    {
        using var reader = new StreamReader(typeof(Page).Assembly.GetManifestResourceStream("page.html")!);
        return reader.ReadToEnd();
    }
}
