-- Images of protected people (decide.protected) that would be published, be it by an override.
SELECT staged.image_id, decisions.verdict
FROM cleaned_staged AS staged
JOIN decisions ON decisions.image_id = staged.image_id
WHERE array_contains(decisions.reasons, 'overlap')
