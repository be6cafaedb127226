using TrackMate.Http;

namespace TrackMate.Show;

/// <summary>Reads a page's form before anybody asks for it, within the bounds of every other body: who looks for a form by itself would wait for it without end.</summary>
internal static class FormBodies
{
    public static async Task Middleware(HttpContext http, RequestDelegate next, RateLimit rateLimit)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<Page>() is null || !http.Request.HasFormContentType)
        {
            await next(http);
            return;
        }

        if (http.User.Identity is not { IsAuthenticated: true }) rateLimit.Take(http);
        using var held = new HeldMemory(http, Math.Min(http.Request.ContentLength ?? Dashboard.MaxFormBytes, RequestBody.MaxBytes));
        await ReadAsync(http);
        await next(http);
    }

    private static async Task ReadAsync(HttpContext http)
    {
        using var reading = new BodyReading(http);
        try
        {
            await reading.InTimeAsync(http.Request, static (request, cancel) => new ValueTask<IFormCollection>(request.ReadFormAsync(cancel)));
        }
        catch (InvalidDataException e)
        {
            throw new BadHttpRequestException("The form cannot be read.", StatusCodes.Status400BadRequest, e);
        }
    }
}
