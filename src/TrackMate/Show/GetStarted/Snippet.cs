using System.Reflection;

namespace TrackMate.Show;

/// <summary>The script tag that a company pastes into its pages, from clients/browser/snippet.html.</summary>
internal static class Snippet
{
    private static readonly string Template = Read();

    /// <param name="url">The address of this server for browsers, without a slash at the end.</param>
    public static string For(string companyId, string url) => Template.Replace("{{company}}", companyId).Replace("{{url}}", url.TrimEnd('/'));

    private static string Read()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("snippet.html")!);
        return reader.ReadToEnd().TrimEnd();
    }
}
